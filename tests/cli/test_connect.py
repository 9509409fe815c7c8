import json

import pytest

CONFIG = """
[server]
listen = "127.0.0.1:4994"
[[backends]]
name = "fake"
dialect = "openai_chat"
url = "scripted:"
zone = "device"
[[models]]
name = "m"
backend = "fake"
id = "m"
context_tokens = 8192
"""
TOKENS = """
[[tokens]]
name = "ana"
env = "HALFDOOR_TOKEN_ANA"
[[tokens]]
name = "ci"
env = "HALFDOOR_TOKEN_CI"
"""


@pytest.fixture
def configured(home):
    file = home / ".config/halfdoor/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG)
    file.chmod(0o600)
    return file


@pytest.fixture
def claude(home):
    file = home / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text('{"env": {"ANTHROPIC_API_KEY": "sk-ant-mine", "B": "b"}}\n')
    return file


def test_the_change_is_shown_and_made_and_taken_back(halfdoor, configured, claude):
    before = claude.read_text()
    said = halfdoor("connect", "claude").out
    assert '+{"env": {"ANTHROPIC_API_KEY": …, "B": "b", "ANTHROPIC_BASE_URL": "http' in said
    assert "sk-ant-mine" not in said
    assert "http://127.0.0.1:4994/via/claude-" in claude.read_text()
    assert halfdoor("disconnect", "claude").code == 0
    assert claude.read_text() == before


def test_a_status_line_is_given_to_who_has_none_and_taken_back(halfdoor, configured, claude):
    halfdoor("connect", "claude")
    line = json.loads(claude.read_text())["statusLine"]
    assert line["command"].endswith(" -m halfdoor status --claude-code")
    halfdoor("disconnect", "claude")
    claude.write_text('{"statusLine": "my own"}')
    halfdoor("connect", "claude")
    assert json.loads(claude.read_text())["statusLine"] == "my own"


def test_a_projects_settings_leave_its_persons_status_line_alone(halfdoor, configured, home):
    (home / "shop").mkdir()
    halfdoor("connect", "claude", "--project", home / "shop")
    assert "statusLine" not in (home / "shop/.claude/settings.local.json").read_text()


def test_a_dry_run_writes_nothing(halfdoor, configured, claude, home):
    before = claude.read_text()
    assert "nothing was written" in halfdoor("connect", "claude", "--dry-run").out
    assert claude.read_text() == before
    assert not (home / ".local").exists()
    halfdoor("connect", "claude")
    after = claude.read_text()
    halfdoor("disconnect", "claude", "--dry-run")
    assert claude.read_text() == after


def test_programs_get_the_address_the_change_and_whether_it_was_written(
    halfdoor, configured, claude
):
    told = json.loads(halfdoor("connect", "claude", "--json").out)
    assert (told["changed"], told["written"]) == (True, True)
    assert told["address"] in claude.read_text()
    again = json.loads(halfdoor("connect", "claude", "--json").out)
    assert (again["changed"], again["address"]) == (False, told["address"])
    gone = json.loads(halfdoor("disconnect", "claude", "--json").out)
    assert (gone["written"], gone["left"]) == (True, [])


def test_what_was_never_connected_is_no_error_to_disconnect(halfdoor, configured):
    said = halfdoor("disconnect", "codex")
    assert (said.code, "nothing was changed" in said.out) == (0, True)


def test_a_tool_that_is_not_known_is_refused_with_those_that_are(halfdoor, configured):
    said = halfdoor("connect", "emacs")
    assert said.code == 1
    assert "claude, codex, opencode, continue, aider, vscode" in said.err


def test_of_several_tokens_one_must_be_chosen_and_its_secret_is_not_written(
    halfdoor, configured, claude, monkeypatch
):
    configured.write_text(CONFIG + TOKENS)
    monkeypatch.setenv("HALFDOOR_TOKEN_CI", "a-secret-of-ci")
    assert "choose with `--token`: ana, ci" in halfdoor("connect", "claude").err
    assert "no token `eve`" in halfdoor("connect", "claude", "--token", "eve").err
    said = halfdoor("connect", "claude", "--token", "ci")
    assert '"apiKeyHelper": "printenv HALFDOOR_TOKEN_CI"' in claude.read_text()
    assert "a-secret-of-ci" not in claude.read_text() + said.out


def test_a_tool_that_cannot_name_a_variable_gets_no_key_and_the_person_is_told(
    halfdoor, configured, home
):
    configured.write_text(CONFIG + TOKENS)
    said = halfdoor("connect", "aider", "--token", "ana").out
    assert 'OPENAI_API_KEY="$HALFDOOR_TOKEN_ANA" aider' in said
    assert "api-key" not in (home / ".aider.conf.yml").read_text()


def test_a_model_that_does_not_exist_is_refused(halfdoor, configured):
    assert "no model `n`; hint: one of auto, m" in halfdoor("connect", "codex", "--model", "n").err


def test_codex_is_told_its_model_and_the_window_of_it(halfdoor, configured, home):
    halfdoor("connect", "codex", "--model", "m")
    written = (home / ".codex/config.toml").read_text()
    assert 'model = "m"' in written
    assert "model_context_window = 8192" in written


def test_a_tool_that_asks_for_names_nobody_answers_to_is_told_of(halfdoor, configured):
    assert "`claude-*`" in halfdoor("connect", "claude").out
    configured.write_text(CONFIG + '[[names]]\nmatch = "claude-*"\nchoose = ["m"]\n')
    assert "`claude-*`" not in halfdoor("connect", "claude").out


def test_one_projects_settings_are_that_projects_file(halfdoor, configured, home, claude):
    before = claude.read_text()
    (home / "shop").mkdir()
    halfdoor("connect", "claude", "--project", home / "shop")
    assert "/via/" in (home / "shop/.claude/settings.local.json").read_text()
    assert claude.read_text() == before
    halfdoor("disconnect", "claude", "--project", home / "shop")
    assert not (home / "shop/.claude/settings.local.json").exists()


def test_a_tool_without_projects_and_a_project_that_is_not_there_are_refused(
    halfdoor, configured, home
):
    assert "no settings for one project" in halfdoor("connect", "codex", "--project", home).err
    assert "no such folder" in halfdoor("connect", "claude", "--project", home / "gone").err


def test_a_link_that_a_clone_brings_is_not_followed_out_of_it(halfdoor, configured, home, claude):
    before = claude.read_text()
    (home / "clone/.claude").mkdir(parents=True)
    (home / "clone/.claude/settings.local.json").symlink_to(claude)
    said = halfdoor("connect", "claude", "--project", home / "clone")
    assert (said.code, "leads out of" in said.err) == (1, True)
    assert claude.read_text() == before


def test_a_file_beyond_us_is_left_and_its_lines_are_shown(halfdoor, configured, home):
    file = home / ".continue/config.yaml"
    file.parent.mkdir()
    file.write_text("models: [{name: mine}]\n")
    said = halfdoor("connect", "continue")
    assert said.code == 1
    assert "apiBase: " in said.out
    assert "line 1: `models` is no list of lines" in said.err
    assert file.read_text() == "models: [{name: mine}]\n"
    told = json.loads(halfdoor("connect", "continue", "--json").out)
    assert "apiBase: " in told["error"]["hint"]
