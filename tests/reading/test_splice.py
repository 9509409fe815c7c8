import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.canon.decision import Edit
from halfdoor.reading.splice import apply


def edit(start, end, replacement=b""):
    return Edit("model", start, end, replacement)


@st.composite
def bodies_with_edits(draw):
    body = draw(st.binary(max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=6)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    return body, [edit(start, end, draw(st.binary(max_size=5))) for start, end in spans]


def test_no_edit_gives_the_same_object():
    body = b"as it came"

    assert apply(body, ()) is body


def test_edits_may_come_in_any_order():
    assert apply(b"abcdef", [edit(4, 6, b"EF"), edit(0, 1, b"A")]) == b"AbcdEF"


@given(bodies_with_edits())
def test_bytes_between_the_edits_are_untouched(case):
    body, edits = case

    left, at = apply(body, edits), 0
    for one in edits:
        kept = body[at : one.start] + one.replacement
        assert left.startswith(kept)
        left, at = left[len(kept) :], one.end
    assert left == body[at:]


@pytest.mark.parametrize("edits", [[edit(0, 3), edit(2, 4)], [edit(3, 9)], [edit(2, 1)]])
def test_edits_that_do_not_fit_are_a_fault_of_the_dialect(edits):
    with pytest.raises(ValueError, match="does not fit"):
        apply(b"abcdef", edits)
