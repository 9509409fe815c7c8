import io
import json
import sys

import pytest

from tests.helpers import checkouts

PYPROJECT = '[project]\nname = "app"\ndependencies = ["requests"]\n'


class Gate:
    """`halfdoor gate` in a checkout of the test's own."""

    def __init__(self, halfdoor, folder, monkeypatch):
        self._halfdoor = halfdoor
        self._monkeypatch = monkeypatch
        self.folder = folder

    def __call__(self, *arguments, stdin=""):
        self._monkeypatch.chdir(self.folder)
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        return self._halfdoor("gate", *arguments)

    def json(self, *arguments, stdin=""):
        """(exit code, verdict, codes of all findings, statuses by check)."""
        said = self(*arguments, "--json", stdin=stdin)
        told = json.loads(said.out)
        codes = [each["code"] for result in told["results"] for each in result["findings"]]
        return said.code, told["verdict"], codes, {r["check"]: r["status"] for r in told["results"]}

    def write(self, **files):
        """Files by name, `__` for `/` and `.py` behind those without a dot."""
        checkouts.write(self.folder, files)


@pytest.fixture
def gate(halfdoor, home, monkeypatch, processes):
    folder = checkouts.checkout(
        home / "app",
        monkeypatch,
        {"a.py": "import os\n\nprint(os.name)\n", "pyproject.toml": PYPROJECT},
    )
    return Gate(halfdoor, folder, monkeypatch)
