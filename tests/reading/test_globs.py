import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.detect.paths import PathDetector
from halfdoor.reading.globs import examples, matcher, matches, name_pieces, path_pieces, within
from halfdoor.reading.passages import Passage

parts = st.sampled_from(["a", "b", "A", "*", "?", "**", "a*", "*b", "?a", "a**", "ab", "ö"])
globs = (
    st.lists(parts, min_size=1, max_size=4)
    .map("/".join)
    .flatmap(lambda glob: st.sampled_from([glob, glob + "/", glob + "/**"]))
)
steps = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aab", "c", "ö"]), min_size=1, max_size=4)
paths = st.tuples(st.sampled_from(["", "/"]), steps).map(lambda made: made[0] + "/".join(made[1]))


def detected(glob, path):
    return bool(PathDetector((glob,)).find(Passage("", paths=(path,))))


@settings(max_examples=500, deadline=None)
@given(globs, paths)
def test_a_glob_is_read_here_as_the_detector_reads_it(glob, path):
    assert matches(path_pieces(glob), path.casefold()) == detected(glob, path)
    assert matcher([glob, "never/matched"])(path) == detected(glob, path)


@settings(max_examples=500, deadline=None)
@given(globs, globs, st.lists(paths, max_size=20))
def test_what_is_within_is_matched_by_the_outer_glob_too(inner, outer, tried):
    if within(path_pieces(inner), path_pieces(outer)):
        assert all(detected(outer, path) for path in tried if detected(inner, path))


@settings(max_examples=300, deadline=None)
@given(globs)
def test_a_globs_examples_are_matched_by_it(glob):
    assert all(matches(path_pieces(glob), path) for path in examples(glob))


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("payments/**", "payments/**", True),
        ("payments/eu/**", "payments/**", True),
        ("src/payments/**", "payments/**", True),
        ("payments/*.py", "payments/**", True),
        ("payments", "payments/**", True),
        ("payments/**", "payments", False),
        ("payments/**", "src/payments/**", False),
        ("*.pem", "*.p*", True),
        ("*.p*", "*.pem", False),
        ("a/b/c.key", "*.key", True),
        ("PAYMENTS/x", "payments/**", True),
        ("a?b", "a*b", True),
        ("a*b", "a?b", False),
        ("a/**/b", "b", True),
        ("x", "**", True),
        ("**", "**", True),
        (".env", ".env*", True),
        (".env*", ".env", False),
    ],
)
def test_some_globs_are_within_others(inner, outer, expected):
    assert within(path_pieces(inner), path_pieces(outer)) is expected


def test_a_question_that_explodes_is_left_open():
    inner, outer = "*" + "?" * 140 + "/x", "*a" + "?" * 40 + "*b" + "?" * 40
    assert within(path_pieces(inner), path_pieces(outer)) in {False, None}
    assert within(path_pieces("*a" + "?" * 60), path_pieces("*a*" + "?" * 60)) is None


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("claude-*", "*", True),
        ("*", "claude-*", False),
        ("claude-opus-*", "claude-*", True),
        ("org/m?", "org*", True),
        ("org?m", "org/m", False),
        ("Claude", "claude", False),
    ],
)
def test_patterns_of_names_keep_case_and_cross_slashes(inner, outer, expected):
    one, other = name_pieces(inner), name_pieces(outer)
    assert one is not None
    assert other is not None
    assert within(one, other, one_crosses=True) is expected


def test_a_pattern_with_a_class_is_not_decided():
    assert name_pieces("gpt-[45]") is None
