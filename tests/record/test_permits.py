import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Planned
from halfdoor.record.permits import covers, permit, seal
from tests.record.samples import decided, noted, outcome

KEY = b"k" * 32
LOCAL = Target("qwen-coder", "ollama", "qwen3", Zone.DEVICE, "openai_chat", "qwen")
CLOUD = Target("sonnet", "anthropic", "claude", Zone.CLOUD, "anthropic_messages", "anthropic")
BOTH = decided(
    plan=(Planned("sonnet", "anthropic", "cloud"), Planned("qwen-coder", "ollama", "device"))
)


def test_a_decision_permits_its_plan_and_nobody_else():
    given = permit(KEY, decided(), 4)
    assert covers(given, KEY, LOCAL, Zone.DEVICE)
    assert not covers(given, KEY, CLOUD, Zone.CLOUD)


def test_a_target_found_further_out_than_planned_is_not_covered():
    given = permit(KEY, BOTH, 4)
    assert covers(given, KEY, CLOUD, Zone.CLOUD)
    assert covers(given, KEY, CLOUD, Zone.NETWORK)
    assert not covers(given, KEY, LOCAL, Zone.NETWORK)


@pytest.mark.parametrize("entry", [outcome(), noted(), decided(refusal="rule")])
def test_other_entries_and_refusals_permit_nobody(entry):
    given = permit(KEY, entry, 4)
    assert given.targets == ()
    widened = msgspec.structs.replace(given, targets=(("qwen-coder", Zone.CLOUD),))
    assert not covers(widened, KEY, LOCAL, Zone.DEVICE)


@pytest.mark.parametrize(
    "forged",
    [
        {"exchange": "hd_other"},
        {"sequence": 5},
        {"targets": (("qwen-coder", Zone.CLOUD),)},
        {"targets": (("sonnet", Zone.CLOUD), ("qwen-coder", Zone.DEVICE))},
        {"seal": b""},
    ],
)
def test_a_changed_permit_covers_nothing(forged):
    changed = msgspec.structs.replace(permit(KEY, decided(), 4), **forged)
    assert not covers(changed, KEY, LOCAL, Zone.DEVICE)


def test_a_permit_of_another_process_covers_nothing():
    assert not covers(permit(b"x" * 32, decided(), 4), KEY, LOCAL, Zone.DEVICE)


plans = st.lists(st.tuples(st.text(max_size=5), st.sampled_from(Zone)), max_size=3).map(tuple)
fields = st.tuples(st.text(max_size=5), plans, st.integers(0, 20))


@settings(max_examples=200, deadline=None)
@given(fields, fields)
def test_only_equal_permits_share_a_seal(one, other):
    assert (seal(KEY, *one) == seal(KEY, *other)) == (one == other)


def test_a_bare_permit_without_a_seal_is_worthless():
    bare = Permit("hd_1", (("qwen-coder", Zone.CLOUD),), 0, b"\0" * 32)
    assert not covers(bare, KEY, LOCAL, Zone.DEVICE)
