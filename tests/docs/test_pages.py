"""Every page of the documentation: its links, commands, options, settings and names are real."""

import re
from pathlib import Path

import pytest

from halfdoor.canon.commands import FaultKind
from halfdoor.cli import COMMANDS, command
from halfdoor.config.found import Discovered
from halfdoor.config.load import load_project, load_user
from halfdoor.dialects.base import EDITS
from halfdoor.errors import SetupError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/halfdoor"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDES = [page for page in PAGES if page.parent.name in {"how-to", "tutorial"}]

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
guides = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)


def anchors(page):
    """Its headings, as a link names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in headings}


def blocks(page, language):
    """The fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def calls(page):
    """`halfdoor …` as the page writes it: between backticks, or as a line of a fenced block."""
    fenced = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    text = page.read_text()
    prose = re.findall(r"`halfdoor +([a-z][^`\n#|>]*)", fenced.sub("", text))
    shell = [
        line.removeprefix("$ ")
        for fence in fenced.findall(text)
        for line in fence.splitlines()
        if line.startswith("$ ") or "\n$ " not in fence  # the rest is what was printed
    ]
    return prose + [m[1] for line in shell if (m := re.match(r"halfdoor +([a-z][^#|>]*)", line))]


def built(call):
    """The command that a call means, and the words behind it."""
    name, *words = call.split()
    found = command(name)
    if words and words[0] in getattr(found, "commands", {}):
        return found.commands[words[0]], words[1:]
    return found, words


@pages
def test_every_relative_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pages
def test_every_command_that_is_named_exists_with_its_options(page):
    if page.name == "CHANGELOG.md":
        return
    for call in calls(page):
        name = call.split()[0]
        assert name in COMMANDS, f"halfdoor {call}"
        found, words = built(call)
        known = {option for parameter in found.params for option in parameter.opts} | {"--help"}
        below = getattr(found, "commands", {})
        for parameter in (p for each in below.values() for p in each.params):
            known |= set(parameter.opts)
        own = words[: words.index("--")] if "--" in words else words
        for word in (word for word in own if word.startswith("--")):
            assert word.partition("=")[0] in known, f"halfdoor {call}"


def test_the_index_leads_to_every_page():
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        within = str(page.relative_to(ROOT / "docs"))
        if page.name != "README.md" and page.parent.name != "decisions":
            assert f"({within})" in index, f"{within}; hint: add a row to docs/README.md"
    assert "(docs/README.md)" in (ROOT / "README.md").read_text()


@guides
def test_every_configuration_in_a_guide_loads(page, tmp_path):
    for number, block in enumerate(blocks(page, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        load_user(file)


def test_the_folder_guides_rules_are_a_projects_to_give_and_its_body_is_held(
    tmp_path, monkeypatch, capsys
):
    from halfdoor.cli.explain import explain

    page = ROOT / "docs/how-to/keep-a-folder-on-the-device.md"
    project = tmp_path / ".halfdoor.toml"
    project.write_text(blocks(page, "toml")[1])
    assert len(load_project(project)) == 1
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("halfdoor.cli.options.look_around", Discovered)
    body = tmp_path / "read.json"
    body.write_text(blocks(page, "json")[0])
    for rules in (blocks(page, "toml")[0], blocks(page, "toml")[0] + 'above = "exclude"\n'):
        project.write_text(rules)
        explain(str(body), project=tmp_path)
        told = capsys.readouterr().out
        assert "found      path:payments/**" in told
        assert "excluded   scripted-cloud (cloud)" in told


def test_a_configuration_beyond_loopback_without_tokens_is_refused_as_the_guide_says(tmp_path):
    block = blocks(ROOT / "docs/how-to/run-for-a-team.md", "toml")[0]
    file = tmp_path / "config.toml"
    file.write_text(block.split("[[tokens]]")[0])
    with pytest.raises(SetupError, match="asks for no token"):
        load_user(file)


def test_every_symbol_that_the_story_of_a_request_names_exists():
    story = (ROOT / "docs/explanation/one-request.md").read_text()
    named = re.findall(r"`([\w/]+\.py):(\w+)`", story)
    assert len(named) > 20
    for path, symbol in named:
        text = (SOURCE / path).read_text()
        found = re.search(
            rf"^\s*(?:async )?(?:def|class) {symbol}\b|^{symbol}\b", text, re.MULTILINE
        )
        assert found, f"{path}:{symbol}"


def test_everything_that_a_translation_can_lose_is_explained():
    from halfdoor.dialects.anthropic_messages.render import DEGRADED
    from halfdoor.dialects.base import UNHEARD
    from halfdoor.dialects.ollama import rendering as ollama
    from halfdoor.dialects.openai_chat import rendering as chat
    from halfdoor.dialects.openai_responses import rendering as responses
    from halfdoor.flow import preparing

    page = (ROOT / "docs/reference/headers-and-statuses.md").read_text()
    table = page.partition("can lose")[2].partition("## What changes")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
             for name in re.findall(r"`([a-z-]+)`", row)}  # fmt: skip
    lost = DEGRADED | ollama.DEGRADED | chat.DEGRADED | responses.DEGRADED | UNHEARD
    lost |= preparing.LEFT_OUT
    assert named == lost


def test_everything_that_may_change_within_one_dialect_is_explained():
    page = (ROOT / "docs/reference/headers-and-statuses.md").read_text()
    table = page.partition("## What changes")[2].partition("## Statuses")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} == EDITS


def test_every_error_code_that_a_caller_can_get_is_explained():
    table = (ROOT / "docs/reference/headers-and-statuses.md").read_text()
    answering = [*(SOURCE / "server").glob("*.py"), SOURCE / "flow/replies.py"]
    answering += [SOURCE / "dialects/decoding.py", SOURCE / "decide/names.py"]
    codes = {
        code
        for path in answering
        for code in re.findall(r'(?:code=|error\(\d+, |400, |503, )"([a-z_]+)"', path.read_text())
    }
    assert {"halfdoor_refused", "invalid_token", "request_too_large"} <= codes
    worded = {"status", "quota", "stopped"}  # these have words of their own in `replies.py`
    for code in codes | {f"halfdoor_{kind}" for kind in FaultKind if kind.value not in worded}:
        assert f"`{code}`" in table, code
