from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Remember
from halfdoor.canon.labels import Label
from halfdoor.store.memory import Memory

SECRET = Label("derived:secret", "answer", "derived")
PATH = Label("derived:path:payments/**", "answer", "derived")


class Hand:
    """A clock that is set by hand."""

    def __init__(self):
        self.ms = 0

    def __call__(self):
        return self.ms


def test_a_mark_brings_back_its_maker_and_labels():
    memory = Memory(Hand())
    memory.keep(Remember((b"call",), "qwen-coder", "qwen", (SECRET,)))
    found = memory.look_up((b"other", b"call"))
    assert (found.labels, found.latched, found.origins) == (
        (SECRET,),
        "qwen-coder",
        {b"call": "qwen"},
    )


def test_unknown_marks_say_nothing():
    found = Memory(Hand()).look_up((b"never seen",))
    assert (found.labels, found.latched, found.origins) == ((), "", {})


def test_the_newest_of_the_marks_latches():
    memory = Memory(Hand())
    memory.keep(Remember((b"1",), "sonnet", "anthropic", ()))
    memory.keep(Remember((b"2",), "qwen-coder", "qwen", ()))
    assert memory.look_up((b"2", b"1")).latched == "qwen-coder"
    assert memory.look_up((b"1",)).latched == "sonnet"


def test_labels_of_all_marks_are_merged_once():
    memory = Memory(Hand())
    memory.keep(Remember((b"1", b"2"), "m", "v", (SECRET,)))
    memory.keep(Remember((b"3",), "m", "v", (SECRET, PATH)))
    assert memory.look_up((b"1", b"2", b"3")).labels == (SECRET, PATH)


def test_remembering_again_never_drops_a_label():
    memory = Memory(Hand())
    memory.keep(Remember((b"1",), "m", "v", (SECRET,)))
    memory.keep(Remember((b"1",), "n", "w", ()))
    found = memory.look_up((b"1",))
    assert (found.labels, found.latched) == ((SECRET,), "n")


def test_marks_expire_when_they_are_not_used():
    clock = Hand()
    memory = Memory(clock, kept_ms=100)
    memory.keep(Remember((b"used", b"unused"), "m", "v", (SECRET,)))
    clock.ms = 99
    assert memory.look_up((b"used",)).labels
    clock.ms = 150
    assert memory.look_up((b"used",)).labels
    assert not memory.look_up((b"unused",)).labels


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=1), max_size=60))
def test_it_never_holds_more_than_it_may(marks):
    memory = Memory(Hand(), most=5)
    for mark in marks:
        memory.keep(Remember((mark,), "m", "v", ()))
    known = memory.look_up(tuple(set(marks))).origins
    assert set(known) == set(list(dict.fromkeys(reversed(marks)))[:5])
