"""A real repository, before and after a change, and a real sandbox for checks that need a process."""

import sys

import pytest

from halfdoor.backends import guard
from halfdoor.runner.sandbox import Sandbox
from tests.helpers.checks import change, subject


@pytest.fixture
def sandbox():
    """The strongest sandbox of this machine."""
    found = Sandbox(guard.start_permit)
    if not found.rung():
        pytest.skip(found.refusal())
    return found


@pytest.fixture
def repository(tmp_path):
    """Lay two revisions out: `repository(before, after)` gives the subject of the change."""

    def make(before, after, python=sys.executable, **more):
        whole = before | after
        for name, files in (("before", before), ("after", {k: v for k, v in whole.items() if v is not None})):  # fmt: skip
            for path, text in files.items():
                file = tmp_path / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        changes = [change(path, text, before.get(path)) for path, text in after.items()]
        paths = tuple(path for path, text in whole.items() if text is not None)
        folders = {"tree": str(tmp_path / "after"), "base": str(tmp_path / "before")}
        return subject(*changes, paths=paths, python=python, **folders, **more)

    return make
