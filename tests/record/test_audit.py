from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.record import merkle
from halfdoor.record.audit import Auditor, Row, kind
from halfdoor.record.checkpoint import VerifierKey
from halfdoor.record.entry import leaf
from tests.record.samples import decided, entries_of, outcome

KEY = VerifierKey("halfdoor/test", bytes(32))


def row(entry, seq):
    data = leaf(entry, seq)
    return Row(seq, entry.id, kind(entry), entry.time, data.decode(), merkle.leaf_hash(data))


ROWS = [row(entry, seq) for seq, entry in enumerate(entries_of(6))]


def edge(rows):
    frontier = merkle.Frontier()
    for each in rows:
        frontier = frontier.append(each.hash)
    return frontier


def audited(rows, stored=None):
    auditor = Auditor(KEY)
    for each in rows:
        auditor.row(each)
    return auditor.finish(edge(ROWS) if stored is None else stored)


def test_whole_rows_are_without_problems():
    report = audited(ROWS)
    assert (report.size, report.problem_count, report.unfinished) == (12, 0, 0)
    assert report.root == edge(ROWS).root().hex()


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1, max_size=11))
def test_every_deleted_row_is_named(gone):
    report = audited([each for each in ROWS if each.seq not in gone])
    missing = [p for p in report.problems if p.kind == "missing"]
    assert {seq for p in missing for seq in range(p.first, p.last + 1)} == gone
    assert not report.root


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(12)))
def test_every_moved_row_is_named(order):
    report = audited([replace(ROWS[source], seq=seq) for seq, source in enumerate(order)])
    moved = {p.first for p in report.problems if p.kind == "moved"}
    assert moved == {seq for seq, source in enumerate(order) if seq != source}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ROWS), st.sampled_from(["exchange", "kind", "time", "leaf", "hash"]))
def test_every_changed_column_is_named(victim, column):
    value = getattr(victim, column)
    changed = replace(victim, **{column: value[:-1] + (b"\0" if column == "hash" else "~")})
    report = audited([changed if each is victim else each for each in ROWS])
    assert ("edited", victim.seq, victim.seq) in [
        (p.kind, p.first, p.last) for p in report.problems
    ]


def test_decisions_without_an_outcome_are_counted():
    rows = [row(entry, seq) for seq, entry in enumerate([decided(1), decided(2), outcome(1)])]
    report = audited(rows, edge(rows))
    assert (report.problem_count, report.unfinished) == (0, 1)
