from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Source
from halfdoor.reading.grams import shingles
from halfdoor.store.sources import Sources

SECRET, PATH = "derived:secret", "derived:path:payments/**"
TEXT = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon"
WORDS = TEXT.split()
OTHER = " ".join(reversed(WORDS))


class Said:
    """Texts by place; counts how often it was asked for shingles."""

    def __init__(self, **texts):
        self.texts = texts
        self.asked = 0

    @property
    def blocks(self):
        return tuple((place, text.encode()) for place, text in self.texts.items())

    def shingles(self, at):
        self.asked += 1
        return shingles([list(self.texts.values())[at]])


def source(text, *labels, id_=b""):
    return Source(id_ or text.encode(), labels or (SECRET,), lambda: set(shingles([text])))


def names(sources, *texts, now_ms=0):
    said = Said(**{f"at{n}": text for n, text in enumerate(texts)})
    return {(label.name, label.place) for label in sources.recognised(said, now_ms)}


def test_nothing_is_computed_while_nothing_is_remembered():
    said = Said(one=TEXT)
    assert Sources(100).recognised(said, 0) == ()
    Sources(100).learn(said)
    assert said.asked == 0


def test_a_source_is_recognised_where_it_stands():
    sources = Sources(100)
    sources.add(source(TEXT, PATH, SECRET), 0)
    assert names(sources, OTHER, f"he said: {TEXT}") == {(PATH, "at1"), (SECRET, "at1")}


def test_a_block_is_looked_at_once_until_a_source_comes():
    sources, said = Sources(100), Said(one=OTHER)
    sources.add(source(TEXT), 0)
    sources.recognised(said, 0)
    sources.recognised(said, 0)
    assert said.asked == 1
    sources.add(source(OTHER), 0)
    assert sources.recognised(said, 0)


def test_a_source_that_comes_again_is_not_made_again_and_its_labels_add_up():
    sources = Sources(100)
    sources.add(source(TEXT, SECRET), 0)

    def never():
        raise AssertionError("it is known")

    assert not sources.add(Source(TEXT.encode(), (SECRET,), never), 0)
    assert sources.add(Source(TEXT.encode(), (PATH,), never), 0)
    assert {name for name, _ in names(sources, TEXT)} == {SECRET, PATH}


def test_a_source_lasts_its_time_and_as_long_as_it_is_used_whole():
    sources = Sources(100)
    sources.add(source(TEXT), 0)
    assert names(sources, TEXT, now_ms=99)
    assert names(sources, " ".join(WORDS[:10]), now_ms=198)
    assert not names(sources, TEXT, now_ms=199)


def test_a_source_of_another_process_ends_when_it_says_though_others_last_longer():
    sources = Sources(100)
    sources.add(source(OTHER), 0)
    sources.add(source(TEXT), 0, 50)
    assert names(sources, TEXT, now_ms=49)
    assert names(sources, OTHER, now_ms=90)
    sources.add(source(TEXT.replace(" ", " so "), id_=b"new"), 90, 120)
    assert names(sources, TEXT.replace(" ", " so "), now_ms=119)


def test_short_texts_are_bounded_too(monkeypatch):
    monkeypatch.setattr("halfdoor.store.sources.MOST_SOURCES", 3)
    sources = Sources(100)
    for n in range(9):
        sources.add(source("too short", id_=bytes([n])), 0)
    assert len(sources) == 3


def test_a_sentence_of_a_long_source_does_not_keep_it_alive():
    long = f"{TEXT} " + " ".join(f"w{n}" for n in range(100))
    sources = Sources(100)
    sources.add(source(long), 0)
    assert names(sources, " ".join(WORDS[:10]), now_ms=99)
    assert not names(sources, TEXT, now_ms=100)


def test_the_least_recently_used_source_goes_first():
    sources = Sources(100, most=30)
    sources.add(source(TEXT), 0)
    sources.add(source(OTHER), 0)
    assert names(sources, TEXT)
    sources.add(source(" ".join(f"n{n}" for n in range(12))), 0)
    assert names(sources, TEXT)
    assert not names(sources, OTHER)


def test_what_harmless_texts_said_before_is_no_part_of_a_source():
    sources = Sources(100)
    sources.add(source(OTHER), 0)
    sources.learn(Said(one=TEXT))
    sources.add(source(f"{TEXT} " + " ".join(f"n{n}" for n in range(20))), 0)
    assert not names(sources, TEXT)
    assert names(sources, " ".join(f"n{n}" for n in range(20)))


def test_what_is_said_later_takes_nothing_from_a_source():
    sources = Sources(100)
    sources.add(source(TEXT), 0)
    sources.learn(Said(one=TEXT))
    assert names(sources, TEXT)


letters = st.lists(st.sampled_from("abcd"), min_size=0, max_size=24).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(letters, max_size=4), letters, letters)
def test_one_more_source_never_removes_a_label(before, added, asked):
    few, more = Sources(100), Sources(100)
    for n, text in enumerate(before):
        few.add(source(text, f"derived:{n}"), 0)
        more.add(source(text, f"derived:{n}"), 0)
    more.add(source(added, "derived:added", id_=b"added"), 0)
    assert names(few, asked) <= names(more, asked)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sets(st.integers(0, 9), max_size=9)), max_size=12))
def test_what_it_holds_and_whose_it_is_agree(added):
    sources = Sources(50, most=20)
    for now, (number, found) in enumerate(added):
        sources.add(Source(bytes([number]), (SECRET,), found.copy), now * 10)
    held = {one: set(held.shingles) for one, held in sources._held.items()}
    assert set(sources._owners) == set().union(*held.values())
    assert sources._size == sum(map(len, held.values()))
    assert sources._by_number == {held.number: one for one, held in sources._held.items()}
    assert all(isinstance(held.shingles, array) for held in sources._held.values())
