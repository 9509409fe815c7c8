"""docs/reference/clients.md tells what the tests run, and `make test` keeps it so."""

import json
import re

import pytest

from tests.clients import rows, rows_codex
from tests.clients.tools import ROOT

PAGE = (ROOT / "docs/reference/clients.md").read_text()


@pytest.mark.parametrize(("mark", "told"), [("rows", rows), ("codex rows", rows_codex)])
def test_the_page_tells_every_trouble_as_it_is_run(mark, told):
    table = PAGE.split(f"<!-- {mark} -->\n")[1].split("\n\n")[0].splitlines()
    assert table[2:] == [row.line() for row in told.ROWS]


def test_the_page_names_the_pinned_versions():
    packages = json.loads((ROOT / "clients/package.json").read_text())["dependencies"]
    aider = re.search(
        r"^aider-chat==(\S+)", (ROOT / "clients/aider.lock").read_text(), re.MULTILINE
    )
    assert aider
    for version in (*packages.values(), aider[1]):
        assert version in PAGE


def test_what_is_pinned_holds_no_address():
    for lock in ("clients/aider.lock", "clients/package-lock.json"):
        text = (ROOT / lock).read_text()
        assert '"resolved"' not in text
        assert "://" not in text
