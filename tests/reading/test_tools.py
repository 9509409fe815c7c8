import pytest

from halfdoor.reading.effects import touch
from halfdoor.reading.tools import BY_NAME, TOOLS, Effect, Role, kind_of, plain

F = "payments/ledger.py"
PATCH = f"*** Begin Patch\n*** Update File: {F}\n@@\n-a\n+b\n*** End Patch"
DIFF = f"--- a/{F}\n+++ b/{F}\n@@ -1 +1 @@\n-a\n+b\n"
JS = f"const r = await tools.exec_command({{cmd: 'sed -n 1,20p {F}'}}); text(r.output)"

# One row a tool and shape: (client, tool, arguments).
ROWS = [
    ("claude-code", "Read", {"file_path": f"/home/u/p/{F}", "limit": 10}),
    ("claude-code", "Write", {"file_path": F, "content": "x"}),
    ("claude-code", "Edit", {"file_path": F, "old_string": "a", "new_string": "b"}),
    ("claude-code", "MultiEdit", {"file_path": F, "edits": [{"old_string": "a"}]}),
    ("claude-code", "NotebookRead", {"notebook_path": F}),
    ("claude-code", "NotebookEdit", {"notebook_path": F, "new_source": "x"}),
    ("claude-code", "Glob", {"pattern": F}),
    ("claude-code", "Glob", {"pattern": "ledger.py", "path": "src/payments"}),
    ("claude-code", "Grep", {"pattern": "def", "path": F}),
    ("claude-code", "Grep", {"pattern": "def", "glob": "payments/*.py"}),
    ("claude-code", "LS", {"path": "/home/u/p/payments", "ignore": ["*.pyc"]}),
    ("claude-code", "LSP", {"operation": "hover", "filePath": F, "line": 1}),
    ("claude-code", "Bash", {"command": f"cat {F} | head -5", "description": "Show it"}),
    ("claude-code", "Task", {"prompt": f"Look into {F} and report", "subagent_type": "x"}),
    ("claude-code", "Agent", {"prompt": f"Look into {F}", "description": "look"}),
    ("claude-code", "ReadMcpResourceTool", {"server": "fs", "uri": f"file:///w/{F}"}),
    ("codex", "shell", {"command": ["bash", "-lc", f"sed -n 1,20p {F}"], "workdir": "/w"}),
    ("codex", "shell", {"command": ["cat", "ledger.py"], "workdir": "payments"}),
    ("codex", "shell", {"command": ["apply_patch", PATCH]}),
    ("codex", "shell", {"command": ["powershell.exe", "-Command", r"gc payments\ledger.py"]}),
    ("codex", "shell_command", {"command": "cat ledger.py", "workdir": "/w/payments"}),
    ("codex", "local_shell", {"command": ["cat", "x.py"], "working_directory": "payments"}),
    ("codex", "exec_command", {"cmd": f"nl -ba {F}", "workdir": "/w"}),
    ("codex", "exec_command", {"cmd": "cat ledger.py", "workdir": "payments"}),
    ("codex", "write_stdin", {"session_id": 7, "chars": f"cat {F}\n"}),
    ("codex", "exec", {"input": JS}),
    ("codex", "exec", {"input": f"await tools.apply_patch(`{PATCH}`)"}),
    ("codex", "apply_patch", {"input": PATCH}),
    ("codex", "view_image", {"path": "payments/logo.png"}),
    ("codex", "read_file", {"file_path": F, "offset": 1}),
    ("codex", "list_dir", {"dir_path": "/w/payments", "depth": 2}),
    ("codex", "grep_files", {"pattern": "x", "include": "*.py", "path": "payments"}),
    ("codex", "spawn_agent", {"message": f"read {F}"}),
    ("opencode", "read", {"filePath": F}),
    ("opencode", "write", {"filePath": F, "content": "x"}),
    ("opencode", "edit", {"filePath": F, "oldString": "a", "newString": "b"}),
    ("opencode", "patch", {"patchText": PATCH}),
    ("opencode", "apply_patch", {"patchText": PATCH}),
    ("opencode", "grep", {"pattern": "x", "include": "payments/*.py"}),
    ("opencode", "glob", {"pattern": "payments/**/*.py"}),
    ("opencode", "list", {"path": "payments"}),
    ("opencode", "bash", {"command": f"git show HEAD:{F}", "description": "x"}),
    ("opencode", "bash", {"command": "cat ledger.py", "workdir": "payments"}),
    ("opencode", "task", {"prompt": f"Summarise {F}", "subagent_type": "general"}),
    ("opencode", "batch", {"tool_calls": [{"tool": "read", "parameters": {"filePath": F}}]}),
    ("cline", "read_file", {"path": F}),
    ("cline", "read_file", {"absolutePath": f"/w/{F}"}),
    ("cline", "write_to_file", {"path": F, "content": "x"}),
    ("cline", "replace_in_file", {"path": F, "diff": "------- SEARCH\na\n=======\nb\n"}),
    ("cline", "search_files", {"path": "payments", "regex": "x", "file_pattern": "*.py"}),
    ("cline", "list_files", {"path": "payments", "recursive": "true"}),
    ("cline", "list_code_definition_names", {"path": "payments"}),
    ("cline", "execute_command", {"command": f"git diff -- {F}", "requires_approval": "false"}),
    ("cline", "attempt_completion", {"result": "done", "command": f"open {F}"}),
    ("cline", "use_mcp_tool", {"server_name": "fs", "tool_name": "read_text_file", "arguments": f'{{"path": "{F}"}}'}),
    ("cline", "access_mcp_resource", {"server_name": "fs", "uri": f"file:///w/{F}"}),
    ("cline", "read_files", {"files": [{"path": F, "start_line": 1}]}),
    ("cline", "read_files", {"files": F}),
    ("cline", "read_files", {"input": [F]}),
    ("cline", "run_commands", {"commands": [f"cat {F}"]}),
    ("cline", "run_commands", {"commands": [{"command": "cat", "args": [F]}]}),
    ("cline", "run_commands", {"commands": [{"command": "ls", "args": ["payments"]}]}),
    ("cline", "editor", {"path": F, "old_text": "a", "new_text": "b"}),
    ("continue", "Read", {"filepath": F}),
    ("continue", "Write", {"filepath": F, "content": "x"}),
    ("continue", "List", {"dirpath": "payments"}),
    ("continue", "Search", {"pattern": "x", "path": "payments", "file_pattern": "*.py"}),
    ("continue", "Bash", {"command": f"cat {F}"}),
    ("continue", "read_file_range", {"filepath": F, "startLine": 1, "endLine": 3}),
    ("continue", "create_new_file", {"filepath": F, "contents": "x"}),
    ("continue", "edit_existing_file", {"filepath": F, "changes": "x"}),
    ("continue", "run_terminal_command", {"command": f"cat {F}"}),
    ("continue", "file_glob_search", {"pattern": "payments/*.py"}),
    ("continue", "ls", {"dirPath": "payments", "recursive": False}),
    ("continue", "view_subdirectory", {"directory_path": "payments"}),
    ("mcp", "mcp__fs__read_text_file", {"path": F, "head": 10}),
    ("mcp", "mcp__fs__read_multiple_files", {"paths": ["a.txt", F]}),
    ("mcp", "fs_read_text_file", {"path": F}),
    ("mcp", "mcp__fs__write_file", {"path": F, "content": "x"}),
    ("mcp", "mcp__fs__edit_file", {"path": F, "edits": [{"oldText": "a", "newText": "b"}]}),
    ("mcp", "mcp__fs__move_file", {"source": F, "destination": "/tmp/x"}),
    ("mcp", "mcp__fs__move_file", {"source": "x", "destination": F}),
    ("mcp", "mcp__fs__directory_tree", {"path": "payments"}),
    ("mcp", "mcp__fs__search_files", {"path": "src", "pattern": "payments/*.py"}),
    ("mcp", "mcp__fs__list_directory", {"path": "payments"}),
    ("mcp", "mcp__git__git_add", {"repo_path": "/w", "files": [F]}),
    ("mcp", "mcp__git__git_diff", {"repo_path": "/w/payments", "target": "HEAD"}),
    ("mcp", "mcp__github__get_file_contents", {"owner": "o", "repo": "r", "path": F}),
    ("mcp", "mcp__serena__find_file", {"file_mask": "*.py", "relative_path": "payments"}),
    ("mcp", "mcp__serena__find_symbol", {"name_path": "total", "relative_path": F}),
    ("mcp", "mcp__sh__execute_shell_command", {"command": "cat ledger.py", "cwd": "payments"}),
    ("mcp", "str_replace_based_edit_tool", {"command": "view", "path": F}),
    ("mcp", "mcp__ide__open", {"uri": f"file:///home/u/{F}"}),
    ("mcp", "mcp__fs__ops", {"ops": [{"kind": "read", "target_file": F}]}),
    ("mcp", "mcp__x__ask", {"question": f"what is in {F}"}),
    ("mcp", "mcp__x__apply", {"diff": DIFF}),
]  # fmt: skip


@pytest.mark.parametrize(("client", "tool", "arguments"), ROWS)
def test_a_call_names_its_file(client, tool, arguments):
    touched = touch(tool, arguments).paths
    assert any("payments" in path.split("/") for path in touched), touched


def test_every_client_has_rows_and_every_row_says_what_it_does():
    assert {row.client for row in TOOLS} == {client for client, _, _ in ROWS}
    assert {row.effect for row in TOOLS} == set(Effect)
    silent = {
        row.name
        for row in TOOLS
        if not (row.paths or row.folders or row.commands or row.patches or row.resumes)
    }
    asking = {row.name for row in TOOLS if row.effect is Effect.ASKS}
    assert silent - asking == {
        "use_mcp_tool", "search_codebase", "Diff", "grep_search", "view_repo_map", "view_diff",
    }  # fmt: skip


@pytest.mark.parametrize("row", TOOLS, ids=lambda row: f"{row.client} {row.name}")
def test_a_row_never_reads_less_than_the_names_of_its_arguments(row):
    named = [name for name in row.contents if BY_NAME.get(plain(name)) not in {None, Role.CONTENT}]
    assert named == []
    for name, role in BY_NAME.items():
        value = {Role.PATH: F, Role.COMMAND: f"cat {F}", Role.PATCH: PATCH}.get(role)
        if value:
            assert F in touch(row.name, {name: value}).paths, name


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("mcp__files__read_text_file", "read_text_file"), ("files_read_text_file", "readTextFile"),
        ("my-server.read_text_file", "read-text-file"), ("functions.exec_command", "exec_command"),
    ],
)  # fmt: skip
def test_a_tool_is_known_behind_the_name_of_its_server(name, same):
    assert kind_of(name) is kind_of(same)
    assert kind_of(name).roles != {}


def test_a_tool_that_nobody_knows_may_list_and_keeps_no_shell():
    kind = kind_of("mcp__x__frobnicate")
    assert kind.lists
    assert not kind.runs
    assert kind_of("") is kind


def test_only_a_call_that_may_list_has_its_result_read_as_names():
    assert touch("LS", {"path": "src"}).lists
    assert touch("Grep", {"pattern": "x"}).lists
    assert touch("Bash", {"command": "cd src && git ls-files"}).lists
    assert touch("mcp__x__y", {}).lists
    assert not touch("Bash", {"command": "cat .gitignore"}).lists
    assert not touch("Read", {"file_path": ".gitignore"}).lists


def test_what_is_written_or_planned_is_not_what_is_touched():
    assert touch("Write", {"file_path": "a.py", "content": f"see {F}"}).paths == ("a.py",)
    assert touch("TodoWrite", {"todos": [{"content": f"mend {F}"}]}).paths == ()
    assert touch("editor", {"path": "a.py", "new_text": f"see {F}"}).paths == ("a.py",)


def test_paths_lie_in_the_folder_that_the_call_names():
    found = touch("Grep", {"pattern": "x", "path": "infra", "glob": "secrets/*.tf"}).paths
    assert set(found) == {"infra", "secrets/*.tf", "infra/infra", "infra/secrets/*.tf"}
    assert (
        "/w/infra/x.py" in touch("shell", {"command": ["cat", "x.py"], "workdir": "/w/infra"}).paths
    )


def test_a_call_without_end_is_read_within_bounds():
    many: dict[str, object] = {
        "paths": [f"src/{n}.py" for n in range(5000)],
        "cwd": "a\nb\nc\nd\ne\nf",
    }
    assert len(touch("x", many).paths) <= 5000 + 6 + 512
