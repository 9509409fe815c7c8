import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import ClientError
from halfdoor.reading.spans import elements, members

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
LAYOUTS = [{"separators": (",", ":")}, {}, {"indent": 2}, {"ensure_ascii": False}]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6), st.sampled_from(LAYOUTS))
def test_every_member_stands_where_its_span_says(value, layout):
    body = json.dumps(value, **layout).encode()
    found = members(body)
    assert [m.key for m in found] == list(value)
    for member in found:
        assert json.loads(body[member.start : member.end]) == value[member.key]
        assert json.loads(b"{" + body[member.key_start : member.end] + b"}") == {
            member.key: value[member.key]
        }


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=6), st.sampled_from(LAYOUTS))
def test_every_element_stands_where_its_span_says(values, layout):
    body = b'{"x": ' + json.dumps(values, **layout).encode() + b" }"
    (x,) = members(body)
    assert [json.loads(body[a:b]) for a, b in elements(body, x.start, x.end)] == values


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "\\u0061", 'c\\"d', "e"]), JSON),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", " , "]),
)
def test_a_repeated_key_is_refused_however_it_is_written(pairs, comma):
    body = ("{" + comma.join(f'"{key}":{json.dumps(value)}' for key, value in pairs) + "}").encode()
    keys = [json.loads(f'"{key}"') for key, _ in pairs]
    if len(set(keys)) == len(keys):
        assert [m.key for m in members(body)] == keys
    else:
        with pytest.raises(ClientError, match="same key twice"):
            members(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"a":1',
        b'{"a":1}x',
        b'{"a":tru}',
        b'"x"',
        b"\xff",
        b'{"a":"\xff\xfe',
        b"{" * 99999,
        b"[" * 99999,
    ],
)
def test_what_is_no_object_is_refused_without_echoing_it(body):
    with pytest.raises(ClientError) as caught:
        members(body)
    assert caught.value.code == "invalid_json"


def test_a_prefix_of_the_first_value_does_not_hide_a_duplicate():
    with pytest.raises(ClientError, match="same key twice"):
        members(b'{"a":12,"a":1}')
