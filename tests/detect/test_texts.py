from halfdoor.detect.paths import PathDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.detect.texts import UNREADABLE, Kept
from halfdoor.reading.grams import shingles
from halfdoor.reading.prints import Prints
from tests.detect.bodies import call, messages, request, result, text, user

PRINTS = Prints(b"k" * 32)
LEDGER = " ".join(f"ledger{n}" for n in range(20))
BESIDE = " ".join(f"beside{n}" for n in range(20))


def surveyed(body, *detectors, **outside):
    return (
        Surveyor((PathDetector(("payments/**",)), *detectors), PRINTS)
        .survey(request(body, **outside))
        .texts
    )


def at(texts, place):
    return [name for name, _ in texts.blocks].index(place)


def test_every_block_and_what_stands_outside_the_body_can_be_asked():
    texts = surveyed(messages(user(text(LEDGER))), headers=(("x-note", BESIDE),), query=LEDGER)
    assert {"messages[0]", "headers", "query"} <= {place for place, _ in texts.blocks}
    for place, said in {"messages[0]": LEDGER, "headers": BESIDE, "query": LEDGER}.items():
        assert set(shingles([said])) <= set(texts.shingles(at(texts, place)))


def test_of_a_result_only_what_it_holds_is_followed():
    texts = surveyed(messages(user(result(LEDGER), text(BESIDE))))
    assert texts.followed(at(texts, "messages[0]")) == set(shingles([LEDGER]))


def test_of_a_question_the_text_that_names_the_file_is_followed():
    texts = surveyed(messages(user(text(f"payments/a.py:1:{LEDGER}"), text(BESIDE))))
    assert texts.followed(at(texts, "messages[0]")) == set(shingles([LEDGER]))


def test_a_detector_that_fails_makes_more_be_followed_not_less():
    class Broken:
        name = "broken"

        def find(self, passage):
            raise RuntimeError

    texts = surveyed(messages(user(text(LEDGER), text(BESIDE))), Broken())
    assert texts.followed(at(texts, "messages[0]")) >= {*shingles([LEDGER]), *shingles([BESIDE])}


def test_a_block_that_cannot_be_read_has_no_text_and_no_key(monkeypatch):
    monkeypatch.setattr("halfdoor.reading.effects.normalise", lambda path: 1 / 0)
    texts = surveyed(messages({"role": "assistant", "content": [call("Read", file_path="a/b.py")]}))
    place = at(texts, "messages[0]")
    assert texts.blocks[place][1] == UNREADABLE
    assert not texts.shingles(place)
    assert texts.followed(place) == set()


def test_shingles_are_made_once_while_there_is_room():
    kept, made = Kept(most=20), []

    def make():
        made.append(1)
        return shingles([LEDGER])

    for key in (b"1", b"1", b"2", b"1"):
        kept.of(key, make)
    assert len(made) == 3
