"""What a survey costs, counted in blocks that are decoded: no clock."""

from halfdoor.detect.survey import Surveyor
from halfdoor.reading import passages
from halfdoor.reading.prints import Prints
from halfdoor.reading.tokens import spared
from tests.detect.bodies import assistant, call, messages, request, result, text, user


def session(turns):
    """So many tool calls, each with a file of its own behind it."""
    found = [user(text("please mend the test"))]
    for n in range(turns):
        found.append(assistant(call("Read", f"toolu_{n}", file_path=f"src/part_{n}.py")))
        found.append(user(result(f"# part {n}\n" + "value = 1\n" * 50, f"toolu_{n}")))
    return request(messages(*found))


def test_a_longer_turn_decodes_its_new_blocks_and_not_its_history(monkeypatch):
    decoded = []
    real = passages.passage

    def counted(raw, place, member, **how):
        decoded.append(place)
        return real(raw, place, member, **how)

    monkeypatch.setattr(passages, "passage", counted)
    surveyor = Surveyor((), Prints(b"k" * 32))
    costs = []
    for turns in (1, 2, 10, 11, 100, 101):
        before = len(decoded)
        surveyor.survey(session(turns))
        costs.append(len(decoded) - before)
    first, *later = costs
    assert first > 2, "the envelope, the question, a call and its result"
    assert later == [2, 2 * 8, 2, 2 * 89, 2], "a call and its result for each new turn"


def test_a_longer_turn_measures_its_new_text_and_not_its_history(monkeypatch):
    measured = []

    def counted(raw, **how):
        measured.append(len(raw))
        return spared(raw, **how)

    monkeypatch.setattr("halfdoor.detect.survey.spared", counted)
    surveyor = Surveyor((), Prints(b"k" * 32))
    surveyor.survey(session(100))
    whole = sum(measured)
    measured.clear()
    surveyor.survey(session(101))
    assert len(measured) == 2, "a call and its result"
    assert sum(measured) < whole / 80


def test_a_turn_weighs_the_same_whether_its_blocks_are_known_or_not():
    known, again = session(2), session(3)
    surveyor = Surveyor((), Prints(b"k" * 32))
    surveyor.survey(known)
    fresh = Surveyor((), Prints(b"k" * 32)).survey(again)
    assert surveyor.survey(again).size == fresh.size
    assert 0 < fresh.size.text <= len(again.body)
