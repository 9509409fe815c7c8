"""Tampering: each kind of damage is found, and named as closely as can be."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfdoor.errors import LogError
from halfdoor.record import merkle
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.record.samples import decided, entries_of, outcome
from tests.store.ledgers import tamper, written


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


def audited(directory, keys, against=None):
    with LogReader(directory) as reader:
        return reader.verify(keys.verifier, against=against)


def kinds(report):
    return [(problem.kind, problem.first, problem.last) for problem in report.problems]


def test_an_untouched_log_is_whole(directory):
    keys = written(directory)
    report = audited(directory, keys)
    assert (report.size, report.checkpoints, report.covered, report.unfinished) == (40, 5, 40, 0)
    assert not report.problems
    with LogReader(directory) as reader:
        assert audited(directory, keys, reader.newest_checkpoint()).against == 40


def test_one_changed_byte_in_a_leaf_is_pinpointed(directory):
    keys = written(directory)
    tamper(directory, "UPDATE entries SET leaf = replace(leaf, '12345', '12344') WHERE seq = 12")
    assert kinds(audited(directory, keys)) == [("edited", 12, 12)]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 39), st.data())
def test_any_flipped_bit_of_any_leaf_is_pinpointed(directory, seq, data):
    keys = written(directory) if not directory.exists() else LogKeys.load_or_create(directory)
    with LogReader(directory) as reader:
        leaf = next(reader.rows(after=seq - 1)).leaf.encode()
    at, bit = data.draw(st.integers(0, len(leaf) - 1)), data.draw(st.integers(0, 7))
    flipped = leaf[:at] + bytes([leaf[at] ^ 1 << bit]) + leaf[at + 1 :]
    tamper(
        directory, f"UPDATE entries SET leaf = CAST(x'{flipped.hex()}' AS TEXT) WHERE seq = {seq}"
    )
    try:
        assert kinds(audited(directory, keys)) == [("edited", seq, seq)]
    finally:
        original = leaf.hex()
        tamper(
            directory, f"UPDATE entries SET leaf = CAST(x'{original}' AS TEXT) WHERE seq = {seq}"
        )


def test_a_byte_flipped_in_the_file_itself_is_found(directory):
    keys = written(directory)
    path = directory / FILE
    content = bytearray(path.read_bytes())
    content[content.index(b'"body_bytes":12345') + 3] ^= 0x80  # no longer UTF-8
    path.write_bytes(content)
    assert [kind for kind, *_ in kinds(audited(directory, keys))] == ["edited"]


def test_a_leaf_rewritten_with_its_hash_breaks_the_next_root(directory):
    keys = written(directory)
    with LogReader(directory) as reader:
        leaf = next(reader.rows(after=11)).leaf.replace("12345", "12344")
    rewritten = merkle.leaf_hash(leaf.encode()).hex()
    tamper(directory, f"UPDATE entries SET leaf = '{leaf}', hash = x'{rewritten}' WHERE seq = 12")
    # The head before it (8) still holds; every one after it, and the stored edge, do not.
    found = kinds(audited(directory, keys))
    assert found[0] == ("root", 8, 15)
    assert {kind for kind, *_ in found} == {"root"}
    assert len(found) == 5


def test_a_deleted_entry_is_named(directory):
    keys = written(directory)
    tamper(directory, "DELETE FROM entries WHERE seq BETWEEN 10 AND 11")
    assert kinds(audited(directory, keys)) == [("missing", 10, 11)]


def test_entries_that_changed_places_are_named(directory):
    keys = written(directory)
    tamper(
        directory,
        "UPDATE entries SET seq = -1 WHERE seq = 4",
        "UPDATE entries SET seq = 4 WHERE seq = 20",
        "UPDATE entries SET seq = 20 WHERE seq = -1",
    )
    found = kinds(audited(directory, keys))
    assert {("moved", 4, 4), ("moved", 20, 20), ("root", 0, 7)} <= set(found)


def test_a_column_that_no_longer_matches_its_leaf_is_found(directory):
    keys = written(directory)
    tamper(directory, "UPDATE entries SET exchange = 'hd_hidden' WHERE seq = 5")
    assert ("edited", 5, 5) in kinds(audited(directory, keys))


def cut_to(directory, size):
    """Remove the end of the log, and every trace of it inside the file."""
    keys = LogKeys.load_or_create(directory)
    edge = merkle.Frontier()
    with LogReader(directory) as reader:
        for row in reader.rows():
            edge = edge.append(row.hash) if row.seq < size else edge
    tamper(
        directory,
        f"DELETE FROM entries WHERE seq >= {size}",
        f"DELETE FROM checkpoints WHERE size > {size}",
        f"UPDATE frontier SET size = {size}, peaks = x'{b''.join(edge.peaks).hex()}'",
    )
    return keys


def test_a_clean_cut_is_found_only_by_a_checkpoint_kept_elsewhere(directory):
    written(directory)
    with LogReader(directory) as reader:
        kept = reader.newest_checkpoint()
    keys = cut_to(directory, 32)
    assert not audited(directory, keys).problems
    assert kinds(audited(directory, keys, kept)) == [("truncated", 32, 39)]


def test_a_rough_cut_is_found_without_help(directory):
    keys = written(directory)
    tamper(directory, "DELETE FROM entries WHERE seq >= 30")
    found = kinds(audited(directory, keys))
    assert ("missing", 30, 39) in found
    assert ("truncated", 30, 31) in found


def test_a_log_rewritten_and_signed_anew_is_found_by_a_checkpoint_kept_elsewhere(directory):
    written(directory)
    with LogReader(directory) as reader:
        kept = reader.newest_checkpoint()
    (directory / FILE).unlink()
    keys = LogKeys.load_or_create(directory)
    file = LogFile(directory / FILE, keys)
    file.append([decided(n, rule="") for n in range(40)], last=True)
    file.close()
    assert not audited(directory, keys).problems
    assert kinds(audited(directory, keys, kept)) == [("root", 0, 39)]


def test_a_checkpoint_of_another_log_is_refused(directory, tmp_path):
    keys = written(directory)
    written(tmp_path / "other")
    with LogReader(tmp_path / "other") as reader:
        foreign = reader.newest_checkpoint()
    with pytest.raises(LogError, match="not signed by"):
        audited(directory, keys, foreign)


def test_a_forged_checkpoint_is_found(directory):
    keys = written(directory)
    tamper(directory, "UPDATE checkpoints SET note = replace(note, '16', '17') WHERE size = 16")
    assert ("signature", 0, 15) in kinds(audited(directory, keys))


def test_a_changed_inner_node_is_found(directory):
    keys = written(directory, batches=2, exchanges=100)
    tamper(directory, "UPDATE nodes SET hash = zeroblob(32)")
    assert kinds(audited(directory, keys)) == [("root", 0, 255)]


def test_a_changed_edge_is_found(directory):
    keys = written(directory)
    tamper(directory, "UPDATE frontier SET peaks = zeroblob(64)")
    assert [kind for kind, *_ in kinds(audited(directory, keys))] == ["root"]


def test_an_outcome_before_its_decision_is_found(directory):
    keys = LogKeys.load_or_create(directory)
    file = LogFile(directory / FILE, keys)
    file.append([outcome(1), decided(1), decided(2)], last=True)
    file.close()
    report = audited(directory, keys)
    assert kinds(report) == [("order", 0, 0)]
    assert report.unfinished == 2


def test_an_exchange_decided_twice_is_found(directory):
    keys = LogKeys.load_or_create(directory)
    file = LogFile(directory / FILE, keys)
    file.append([decided(1), decided(1), outcome(1)], last=True)
    file.close()
    assert kinds(audited(directory, keys)) == [("order", 0, 1)]


def test_a_wholly_damaged_log_gives_a_report_of_bounded_length(directory):
    keys = written(directory, batches=3, exchanges=40)
    tamper(directory, "UPDATE entries SET leaf = 'x'")
    report = audited(directory, keys)
    assert (report.problem_count, len(report.problems)) == (240, 50)


def test_progress_is_told(directory):
    keys = written(directory)
    told: list[int] = []
    with LogReader(directory) as reader:
        reader.verify(keys.verifier, progress=told.append)
    assert told == [0]
    assert len(entries_of(1)) == 2
