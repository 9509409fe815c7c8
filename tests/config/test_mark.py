import pytest

from halfdoor.config.mark import marked, planted, unmarked

ROOT = "http://127.0.0.1:4114"


@pytest.mark.parametrize("path", ["/v1/messages", "/", "/v1/v1/responses"])
def test_a_mark_is_taken_out_of_a_path(path):
    assert unmarked(f"/via/claude-1f2e3d4c{path}") == (path, "claude-1f2e3d4c")


def test_a_bare_mark_is_the_root():
    assert unmarked("/via/codex-1f2e3d4c") == ("/", "codex-1f2e3d4c")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages",
        "/via/claude/v1/messages",
        "/via/claude-1f2e/v1/messages",
        "/via/Claude-1f2e3d4c/v1/messages",
        "/via/claude-1f2e3d4cc/v1/messages",
        "/x/via/claude-1f2e3d4c/v1/messages",
        "/via/claude-1f2e3d4c/halfdoor/status",
        "/via/claude-1f2e3d4c/halfdoor",
    ],
)
def test_what_is_no_whole_mark_or_leads_to_the_admins_stays_in_the_path(path):
    assert unmarked(path) == (path, "")


def test_marks_are_found_behind_this_address_only():
    text = f'"{marked(ROOT, "claude-1f2e3d4c")}/v1" "http://h:1/via/codex-1f2e3d4c" "{ROOT}/v1"'
    assert planted(text, ROOT) == ("claude-1f2e3d4c",)
