import json
from pathlib import Path

import pytest
from rich.console import Console

from halfdoor.cli import scope
from halfdoor.config.scope import CHANNELS, LIMITS, Channel, closing, state
from halfdoor.config.tools import TOOLS

PAGE = Path(__file__).parents[2] / "docs/reference/scope.md"
VARIABLE = Channel("tool", "telemetry", "host", "TOOL_TELEMETRY", "0")


def test_the_page_is_the_table():
    assert PAGE.read_text() == scope.page(), (
        "hint: python -m halfdoor.cli.scope > docs/reference/scope.md"
    )


def test_every_tool_that_is_measured_is_there():
    tools = {channel.tool for channel in CHANNELS}
    assert tools >= {"Claude Code", "Codex", "OpenCode", "Continue", "Cline", "Aider", "llm"}


def test_what_launch_sets_against_telemetry_is_what_the_table_says():
    set_by_launch = {v.name: v.value for tool in TOOLS for v in tool.variables}
    telling = [each for each in CHANNELS if "halfdoor launch" in each.setting]
    assert len(telling) >= 3
    for channel in telling:
        assert set_by_launch[channel.variable] == channel.value


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({}, "open"),
        ({"TOOL_TELEMETRY": "0"}, "closed"),
        ({"TOOL_TELEMETRY": "false"}, "closed"),
        ({"TOOL_TELEMETRY": "1"}, "open"),
        ({"TOOL_TELEMETRY": ""}, "open"),
    ],
)
def test_a_variable_counts_as_the_tool_reads_it(env, found):
    assert state(VARIABLE, env) == found


def test_a_setting_cannot_be_seen_and_some_things_nothing_closes():
    assert state(Channel("t", "w", "h", setting="x"), {}) == "unknown"
    assert state(Channel("t", "w", "h"), {}) == "never"
    assert closing(Channel("t", "w", "h")) == ""


def test_every_limit_stands_where_limits_are_explained():
    told = (PAGE.parents[1] / "explanation/what-is-scanned.md").read_text()
    told += (PAGE.parents[2] / "ARCHITECTURE.md").read_text()
    words = ["paraphrased", "octal", "telling name", "personal data", "`not-scanned`"]
    words += ["a command computes", "forwarded port", "drops its token", "signing key"]
    assert len(words) == len(LIMITS)
    for word in words:
        assert word in " ".join(told.split()), word


def test_doctor_scope_tells_what_is_closed_here(halfdoor, monkeypatch):
    monkeypatch.setenv("AIDER_ANALYTICS", "false")
    told = json.loads(halfdoor("doctor", "--scope", "--json").out)
    by_variable = {c["variable"]: c["state"] for c in told["channels"] if c["variable"]}
    assert by_variable["AIDER_ANALYTICS"] == "closed"
    assert by_variable["AIDER_CHECK_UPDATE"] == "open"
    assert len(told["limits"]) == len(LIMITS)


def test_doctor_scope_reads_as_lines_where_no_terminal_is(halfdoor):
    said = halfdoor("doctor", "--scope").out
    [line] = [line for line in said.splitlines() if "AIDER_ANALYTICS" in line]
    assert line.startswith("  OPEN          analytics → PostHog; close it: AIDER_ANALYTICS=false")


@pytest.mark.parametrize("width", [80, 140])
def test_on_a_terminal_nothing_is_cut_and_no_line_is_too_long(width, capsys):
    screen = Console(width=width, force_terminal=True, no_color=True, highlight=False, markup=False)
    scope._show(screen, {})
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line.rstrip()) for line in lines if "\x1b" not in line) <= width
    whole = " ".join("\n".join(lines).split())
    for word in ("global-settings.json", "raw.githubusercontent.com", "extra-openai-models.yaml"):
        assert word in whole
