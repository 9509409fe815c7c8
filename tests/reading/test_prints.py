import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.reading.prints import KINDS, Prints

PRINTS = Prints(b"k" * 32)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_a_view_and_its_bytes_have_the_same_print(raw):
    whole = memoryview(b"ab" + raw + b"cd")
    assert PRINTS.block(whole[2 : 2 + len(raw)]) == PRINTS.block(raw)


def test_another_key_gives_other_prints():
    other = Prints(b"l" * 32)
    assert other.block(b"x") != PRINTS.block(b"x")
    assert other.mark("call", "x") != PRINTS.mark("call", "x")


def test_one_text_has_another_mark_for_each_kind():
    assert len({PRINTS.mark(kind, "toolu_1") for kind in KINDS}) == len(KINDS)


def test_a_returning_text_is_known_with_other_space_around_it():
    assert PRINTS.mark("text", "done.\n") == PRINTS.mark("text", "done.")
    assert PRINTS.mark("signature", "a ") != PRINTS.mark("signature", "a")


def test_returning_arguments_are_known_in_any_layout():
    assert PRINTS.mark("text", '{"b": 1, "a": "é"}') == PRINTS.mark("text", '{"a":"\\u00e9","b":1}')


def test_text_with_lone_surrogates_has_a_mark():
    assert len(PRINTS.mark("text", "\ud800{")) == 16


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Prints(b"short")
