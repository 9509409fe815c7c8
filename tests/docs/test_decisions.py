import re
from pathlib import Path

RECORDS = sorted((Path(__file__).parents[2] / "docs/decisions").glob("*.md"))


def test_decision_records_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_each_record_says_what_was_given_up_and_what_would_prove_it_wrong():
    for path in RECORDS:
        text = path.read_text()
        for part in ("**Context.**", "**Choice.**", "**Given up.**", "**Would prove it wrong.**"):
            assert part in text, (path.name, part)


def test_every_test_that_a_document_names_exists():
    root = Path(__file__).parents[2]
    for path in [*RECORDS, root / "ARCHITECTURE.md"]:
        for name in re.findall(r"`(tests/[\w/.]+)`", path.read_text()):
            assert (root / name).exists(), f"{path.name} names {name}"
