"""Lines among lines: found where comparing each place would find them, however often they stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.checks import Edit
from halfdoor.verify.applies import applied, form_of
from halfdoor.verify.edits import searched
from halfdoor.verify.edits.searched import EITHER, Searched

LINES = st.lists(st.sampled_from(["a\n", "b\n", "a \n", "b", "\n"]), max_size=12)
MANY = 100_000


def compared(lines, wanted, start):
    """All places, of the first likeness that has any."""
    for alike in EITHER:
        same = list(map(alike, wanted))
        found = [
            at
            for at in range(start, len(lines) - len(wanted) + 1)
            if wanted and list(map(alike, lines[at : at + len(wanted)])) == same
        ]
        if found:
            return found
    return []


@pytest.mark.parametrize("most", [searched._MOST, 1])
@settings(max_examples=150, deadline=None)
@given(lines=LINES, wanted=LINES.map(lambda lines: lines[:3]), start=st.integers(0, 6), hint=st.integers(-1, 9))  # fmt: skip
def test_places_are_those_that_comparing_each_would_find(most, lines, wanted, start, hint):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searched, "_MOST", most)  # lines share a character, as in a huge file
        text, found = Searched(lines), compared(lines, wanted, start)
        assert text.first(wanted, start) == (found[0] if found else None)
        nearest = min(found, key=lambda at: abs(at - hint), default=None)
        assert text.nearest(wanted, start, hint) == nearest


@settings(max_examples=50, deadline=None)
@given(LINES, LINES, LINES, st.integers(0, 6), st.integers(0, 3))
def test_spliced_lines_are_searched_as_new_ones_are(lines, new, wanted, at, count):
    old = Searched(lines)
    old.first(wanted)
    made = old.spliced(at, count, new)
    fresh = Searched([*lines[:at], *new, *lines[at + count :]])
    assert (made.lines, made.first(wanted)) == (fresh.lines, fresh.first(wanted))


def hunk(lines, start=1):
    return f"@@ -{start},{len(lines)} +{start},{len(lines) + 1} @@\n{''.join(f' {x}' for x in lines)}+n\n"  # fmt: skip


@pytest.mark.parametrize("odd", ["b\n", "c\n"])
@pytest.mark.parametrize("start", [1, MANY // 4, MANY])
def test_a_hunk_of_one_line_again_and_again_is_looked_for_in_one_go(odd, start):
    """Four thousand such lines took half a second, and time grew with their square."""
    diff = "--- a/a\n+++ b/a\n" + hunk(["a\n"] * (MANY // 2) + [odd], start)
    data = b"a\n" * MANY + b"b\n"
    changes, troubles = applied((Edit("unified-diff", diff),), {"a": data}.get)
    assert (len(changes), len(troubles)) == ((1, 0) if odd == "b\n" else (0, 1))


def test_an_edit_of_many_parts_is_tried_in_one_go():
    """A thousand hunks took 5 s, a thousand blocks 12 s, and time grew with their square."""
    lines = [f"line {number}\n" for number in range(MANY // 2)]
    some = range(0, MANY // 2, 20)
    diff = "".join(f"@@ -{at + 1} +{at + 1} @@\n-{lines[at]}+n\n" for at in some)
    blocks = "".join(f"<<<<<<< SEARCH\n{lines[at]}=======\nn\n>>>>>>> REPLACE\n" for at in some[::5])  # fmt: skip
    patch = "".join(f"@@ {lines[at]}-{lines[at + 1]}+n\n" for at in some)
    for text in (
        f"--- a/a\n+++ b/a\n{diff}",
        f"./a\n{blocks}",
        f"*** Begin Patch\n*** Update File: a\n{patch}*** End Patch\n",
    ):
        (change,), troubles = applied((Edit(form_of(text), text),), {"a": "".join(lines).encode()}.get)  # fmt: skip
        assert ((change.after or b"").count(b"n\n") >= 500, troubles) == (True, ())


@pytest.mark.parametrize("text", ["\n" * 300_000, " \n" * 100_000, "<<<<<SEARCH " * 30_000])
def test_a_text_of_blank_lines_is_told_to_be_no_edit_in_one_go(text):
    assert form_of(text + "x") == "unified-diff"
