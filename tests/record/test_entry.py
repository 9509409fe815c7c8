import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.money import Usage
from halfdoor.canon.record import LabelCount
from halfdoor.errors import LogError
from halfdoor.record.canonical import canonical
from halfdoor.record.entry import LARGEST, leaf, read
from tests.record.samples import decided, entries, noted, outcome

sequences = st.integers(0, 2**53 - 1)


@settings(max_examples=200, deadline=None)
@given(entries, sequences)
def test_what_is_written_is_read_back(entry, sequence):
    found = read(leaf(entry, sequence))
    assert (found.entry, found.sequence) == (entry, sequence)


@settings(max_examples=200, deadline=None)
@given(entries, sequences)
def test_the_fast_encoder_writes_canonical_json(entry, sequence):
    data = leaf(entry, sequence)
    assert data == canonical(json.loads(data))


@pytest.mark.parametrize("entry", [decided(), outcome(), noted()])
def test_a_leaf_names_its_kind_version_and_position(entry):
    members = json.loads(leaf(entry, 7))
    assert (members["seq"], members["v"], members["id"]) == (7, 1, entry.id)
    assert members["kind"] == type(entry).__name__.lower()


def test_an_outcome_without_usage_says_null():
    assert b'"usage":null' in leaf(outcome(usage=None), 0)


def test_an_entry_of_64_kib_is_refused():
    places = tuple(f"messages[{number}]" for number in range(5000))
    with pytest.raises(LogError, match="too large for the log"):
        leaf(decided(labels=(LabelCount("secret", "", "secrets", 5000, places),)), 0)
    assert len(leaf(decided(tool="x" * 60_000), 0)) <= LARGEST


def test_an_absurd_token_count_is_refused():
    with pytest.raises(LogError, match="token count"):
        leaf(outcome(usage=Usage(input_tokens=10**30)), 0)


def test_text_that_is_not_unicode_is_refused():
    with pytest.raises(LogError, match="not valid Unicode"):
        leaf(decided(tool="\ud800"), 0)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"kind":"decided"}', b"\xff", "\udcff", b"[1]"])
def test_bytes_that_are_no_entry_are_refused(data):
    with pytest.raises(LogError, match="cannot be read"):
        read(data)


def test_a_leaf_of_a_later_version_asks_for_an_upgrade():
    with pytest.raises(LogError, match="upgrade halfdoor"):
        read(leaf(decided(), 0).replace(b'"v":1,', b'"v":2,'))
