"""Advisories of OSV come in by hand, stay beside the log, and take the place of older ones."""

import json
import sqlite3
import zipfile

import pytest

from halfdoor.errors import SetupError
from halfdoor.store.advisories import FILE, look, sync
from halfdoor.verify.vulnerable import Advisory, Range

OSV = {
    "id": "PYSEC-2026-1",
    "summary": "It runs what it reads",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Some_Thing"},
            "versions": ["1.0"],
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2"}]},
                {"type": "GIT", "events": [{"introduced": "abc"}]},
            ],
        }
    ],
}  # fmt: skip


def packed(folder, *advisories):
    file = folder / "all.zip"
    with zipfile.ZipFile(file, "w") as made:
        for number, each in enumerate(advisories):
            made.writestr(f"{number}.json", json.dumps(each))
    return file


def opened(folder):
    return look(folder).about


def test_what_was_taken_in_is_found_by_the_normal_name(tmp_path):
    assert sync(tmp_path / "state", packed(tmp_path, OSV)) == {"PyPI": 1}
    known = opened(tmp_path / "state")
    assert known("PyPI", "some-thing") == (
        Advisory(
            "PYSEC-2026-1", "It runs what it reads", ("1.0",), (Range("0", "1.2"), Range("2"))
        ),
    )
    assert known("PyPI", "other") == known("npm", "some-thing") == ()


def test_a_later_file_takes_the_place_of_its_ecosystem_and_withdrawn_ones_go(tmp_path):
    sync(tmp_path, packed(tmp_path, OSV))
    other = {
        "id": "X",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "b"}, "versions": ["1"]}],
    }
    sync(tmp_path, packed(tmp_path, other, OSV | {"withdrawn": "2026-01-01T00:00:00Z"}))
    known = opened(tmp_path)
    assert (known("PyPI", "some-thing"), len(list(known("PyPI", "b")))) == ((), 1)


def about(*packages):
    affected = [{"package": {"ecosystem": e, "name": n}, "versions": ["1"]} for e, n in packages]
    return {"id": "X", "affected": affected}


def test_a_file_of_one_ecosystem_brings_none_of_another_that_its_advisories_name_too(tmp_path):
    """PyPI's file took the place of all that was known of npm by the few that it names of it."""
    shared = about(("PyPI", "a"), ("npm", "a"))
    assert sync(tmp_path, packed(tmp_path, about(("npm", "b")))) == {"npm": 1}
    assert sync(tmp_path, packed(tmp_path, about(("PyPI", "b")), shared)) == {"PyPI": 2}
    assert look(tmp_path).ecosystems == {"PyPI", "npm"}
    assert (len(opened(tmp_path)("npm", "b")), opened(tmp_path)("npm", "a")) == (1, ())


def test_only_an_ecosystem_that_was_taken_in_as_a_whole_is_known(tmp_path):
    sync(tmp_path, packed(tmp_path, OSV, about(("PyPI", "a"), ("npm", "a"))))
    assert look(tmp_path).ecosystems == {"PyPI"}
    with sqlite3.connect(tmp_path / FILE) as older:
        older.execute("DROP TABLE whole")
    older.close()
    assert look(tmp_path).ecosystems == frozenset()


def test_one_advisory_is_no_file_of_an_ecosystem(tmp_path):
    """It would have passed for all that is known of PyPI."""
    file = tmp_path / "PYSEC-2026-1.json"
    file.write_text(json.dumps(OSV))
    with pytest.raises(SetupError, match=r"all\.zip"):
        sync(tmp_path, file)


def test_before_the_first_file_there_is_nothing_to_ask(tmp_path):
    assert look(tmp_path).ecosystems == frozenset()


@pytest.mark.parametrize("data", [b"no", b"{}", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_none_is_told_and_changes_nothing(tmp_path, data):
    file = tmp_path / "all.zip"
    file.write_bytes(data)
    with pytest.raises(SetupError, match=r"all\.zip"):
        sync(tmp_path / "state", file)
    assert not (tmp_path / "state" / FILE).exists()
