import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMES = {re.split(r"[^A-Za-z0-9_.-]", wanted)[0] for wanted in PROJECT["dependencies"]}


def test_every_dependency_has_its_reason():
    record = (ROOT / "docs/decisions/0002-dependencies.md").read_text()
    rows = [line.split("|")[1] for line in record.splitlines() if line.startswith("| ")][1:]
    reasons = {name.strip() for row in rows for name in row.split(",")}
    told = later()
    superseded = set(re.findall(r"Supersedes the row `([\w-]+)` of 0002", told))
    added = set(re.findall(r"Adds `([\w.-]+)` to the dependencies of 0002", told))
    assert (reasons - superseded) | added == NAMES


def later():
    """What records after that one say: records are never edited."""
    records = sorted((ROOT / "docs/decisions").glob("*.md"))[2:]
    return " ".join(record.read_text() for record in records)


def test_there_are_at_most_fourteen():
    assert len(NAMES) <= 14


def test_locks_hold_names_versions_and_hashes_and_no_address():
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text()
        assert "--hash=sha256:" in lock
        assert "://" not in lock
        assert "index-url" not in lock
        pins = re.findall(r"^[A-Za-z0-9_.-]+==\S+", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", lock, re.MULTILINE))


def test_the_lock_for_running_holds_every_dependency():
    lock = (ROOT / "requirements.lock").read_text()
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in NAMES)
