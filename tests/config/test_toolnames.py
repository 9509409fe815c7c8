"""A budget or a route for a tool that no request is called after says so at the start."""

import pytest

from halfdoor.config.load import load
from halfdoor.config.tools import TOOLS
from halfdoor.config.tools.agents import AGENTS
from halfdoor.errors import SetupError

NEAR = """
[[backends]]
name = "near"
dialect = "openai_chat"
url = "http://127.0.0.1:8000/v1"
zone = "device"
[[models]]
name = "qwen"
backend = "near"
id = "q"
"""
BUDGET = '[[budgets]]\nname = "b"\nlimit_usd = 1\nmatch = {{ tool = "{}" }}\n'
ROUTE = '[[routes]]\nname = "r"\nmodels = ["qwen"]\nmatch = {{ tool = ["{}"] }}\n'
HOLD = '[server]\nhold_for = ["{}"]\n'


def read(tmp_path, text, name):
    file = tmp_path / "config.toml"
    file.touch(mode=0o600)
    file.write_text(text.format(name) + NEAR if text is HOLD else NEAR + text.format(name))
    return load(file, None, {"HOME": str(tmp_path)})


@pytest.mark.parametrize("where", [BUDGET, ROUTE, HOLD])
@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("claude-code", "claude"),
        ("Claude Code", "claude"),
        ("CODEX", "codex"),
        ("cn", "continue"),
        ("code", "vscode"),
        ("claude-cli", "claude"),
    ],
)
def test_another_spelling_of_a_tool_stops_the_start_instead_of_counting_none(
    tmp_path, where, said, name
):
    with pytest.raises(SetupError, match=f"the log calls it `{name}`; hint: write") as caught:
        read(tmp_path, where, said)
    assert caught.value.where.startswith("config.toml:")


def test_a_budget_takes_no_glob_over_tools(tmp_path):
    with pytest.raises(SetupError, match=r"`claude\*` is no name of a tool"):
        read(tmp_path, BUDGET, "claude*")


def test_a_route_takes_a_glob_that_matches_a_tool(tmp_path):
    assert read(tmp_path, ROUTE, "c*").notes == ()


@pytest.mark.parametrize("where", [BUDGET, ROUTE, HOLD])
def test_a_name_that_only_launch_could_give_is_told_of(tmp_path, where):
    (note,) = read(tmp_path, where, "my-agent").notes
    assert note.startswith("no tool that halfdoor knows is called `my-agent`; hint: only what")


@pytest.mark.parametrize("where", [BUDGET, ROUTE, HOLD])
@pytest.mark.parametrize("name", sorted({tool.name for tool in TOOLS} | {n for _, n in AGENTS}))
def test_every_name_of_the_log_is_taken_without_a_word(tmp_path, where, name):
    assert read(tmp_path, where, name).notes == ()


def test_a_tool_is_called_alike_by_its_user_agent_and_by_launch():
    by_agent = {name for _, name in AGENTS}
    assert {tool.name for tool in TOOLS} - by_agent == {"vscode"}  # it takes no launch
    assert "claude-code" not in by_agent
