import pytest

from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.record.samples import decided, outcome


@pytest.fixture
def newest(tmp_path):
    """What `newest` finds among three exchanges, an hour apart."""
    file = LogFile(tmp_path / FILE, LogKeys.load_or_create(tmp_path))
    marks = ["a-1f2e3d4c", "b-1f2e3d4c", "a-1f2e3d4c"]
    file.append(
        [decided(n, via=via, time=f"2026-11-21T0{n}:00:00.000Z") for n, via in enumerate(marks)]
        + [outcome(2)],
        last=True,
    )
    file.close()

    def ask(*said, since="2026-11-21T00:00:00.000"):
        with LogReader(tmp_path) as reader:
            found = reader.newest(said, since)
            return found and (int(found.decided.id[3:]), found.outcome is not None)

    return ask


def test_the_newest_that_says_it_is_found_with_its_outcome(newest):
    assert newest({"via": "a-1f2e3d4c"}) == (2, True)
    assert newest({"via": "b-1f2e3d4c"}) == (1, False)
    assert newest({"via": "b-1f2e3d4c"}, {"via": "a-1f2e3d4c"}) == (2, True)


def test_all_that_is_said_must_hold(newest):
    assert newest({"via": "a-1f2e3d4c", "tool": "codex"}) is None


def test_what_is_older_is_not_found(newest):
    assert newest({"via": "b-1f2e3d4c"}, since="2026-11-21T01:30:00.000") is None
