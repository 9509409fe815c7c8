"""docs/reference/clients.md tells what the tests run, and `make test` keeps it so."""

import json
import re

import pytest

from tests.clients import rows, rows_codex
from tests.clients.more import MORE
from tests.clients.test_aider import PREFIXES
from tests.clients.tools import ROOT

PAGE = (ROOT / "docs/reference/clients.md").read_text()


def table(mark):
    """The lines of the table under a mark of the page."""
    return PAGE.split(f"<!-- {mark} -->\n")[1].split("\n\n")[0].splitlines()[2:]


@pytest.mark.parametrize(("mark", "told"), [("rows", rows), ("codex rows", rows_codex)])
def test_the_page_tells_every_trouble_as_it_is_run(mark, told):
    assert table(mark) == [row.line() for row in told.ROWS]


def pinned(lock, package):
    """The version of a package in an npm or a pip lock."""
    text = (ROOT / "clients" / lock).read_text()
    if lock.endswith(".json"):
        return json.loads(text)["packages"][f"node_modules/{package}"]["version"]
    found = re.search(rf"^{package}==(\S+)", text, re.MULTILINE)
    assert found
    return found[1]


VERSIONS = {
    "Claude Code": pinned("package-lock.json", "@anthropic-ai/claude-code"),
    "Codex": pinned("package-lock.json", "@openai/codex"),
    "Aider": pinned("aider.lock", "aider-chat"),
    "OpenCode": pinned("more/package-lock.json", "opencode-ai"),
    "Continue": pinned("more/package-lock.json", "@continuedev/cli"),
    "Cline": pinned("more/package-lock.json", "cline"),
    "llm": pinned("more/llm.lock", "llm"),
}
SPOKEN = {
    "Claude Code": {"anthropic_messages"},
    "Codex": {"openai_responses"},
    "Aider": set(PREFIXES),
    **{kind.name: set(kind.nears) for kind in MORE},
}


def test_the_page_tells_every_tool_at_the_version_that_is_pinned_and_what_it_speaks():
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table("tools")]
    told = {cells[0]: (cells[1], set(re.findall(r"`(\w+)`", cells[3]))) for cells in lines}
    assert told == {name: (VERSIONS[name], SPOKEN[name]) for name in VERSIONS}


def test_the_page_on_connecting_names_the_versions_that_were_run():
    page = (ROOT / "docs/how-to/connect-a-tool.md").read_text()
    for name in ("Claude Code", "Codex", "OpenCode", "Continue", "Aider"):
        assert VERSIONS[name] in page


def test_every_tool_is_installed_at_the_version_that_it_asks_for():
    for folder in ("clients", "clients/more"):
        asked = json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
        for package, version in asked.items():
            lock = f"{folder}/package-lock.json".removeprefix("clients/")
            assert pinned(lock, package) == version


def test_what_is_pinned_holds_no_address():
    locks = ("aider.lock", "package-lock.json", "more/llm.lock", "more/package-lock.json")
    for lock in locks:
        text = (ROOT / "clients" / lock).read_text()
        assert '"resolved"' not in text
        assert "://" not in text
