import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import LogError
from halfdoor.record.canonical import LARGEST_EXACT, canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_EXACT, LARGEST_EXACT) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_members_are_sorted_and_nothing_is_spaced():
    assert canonical({"b": [1, True, None], "a": {}}) == b'{"a":{},"b":[1,true,null]}'


def test_keys_are_sorted_by_utf16_code_units():
    # RFC 8785 section 3.2.3: the example's order, where U+1F600 sorts before U+FB33.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = json.loads(canonical(dict.fromkeys(keys)), object_pairs_hook=list)
    assert [key for key, _ in written] == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


def test_strings_are_escaped_as_the_standard_says():
    # RFC 8785 section 3.2.2.2: short forms where there are any, lower-case hex, the rest as it is.
    text = '\u20ac$\u000f\nA\'B"\\\\"/\x7f'
    assert canonical(text) == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'


@settings(max_examples=200, deadline=None)
@given(values)
def test_what_is_written_is_read_back(value):
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize("value", [1.0, float("nan"), 2**53, -(2**53), b"x", {1: 2}, "\ud800"])
def test_values_without_one_exact_form_are_refused(value):
    with pytest.raises(LogError):
        canonical(value)
