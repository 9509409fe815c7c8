import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.reading.effects import normalise, paths_in_result, paths_of

SECRET = "payments/ledger.py"
PATCH = f"*** Begin Patch\n*** Update File: {SECRET}\n@@\n-a\n+b\n*** End Patch"

CALLS: dict[str, tuple[str, dict[str, object]]] = {
    "claude read": ("Read", {"file_path": f"/home/u/p/{SECRET}", "limit": 10}),
    "claude edit": ("Edit", {"file_path": SECRET, "old_string": "a", "new_string": "b"}),
    "claude multi-edit": ("MultiEdit", {"file_path": SECRET, "edits": [{"old_string": "a"}]}),
    "claude notebook": ("NotebookEdit", {"notebook_path": SECRET, "new_source": "x"}),
    "claude glob": ("Glob", {"pattern": SECRET}),
    "claude grep": ("Grep", {"pattern": "def", "path": SECRET}),
    "claude grep glob": ("Grep", {"pattern": "def", "glob": SECRET}),
    "claude bash": ("Bash", {"command": f"cat {SECRET} | head -5"}),
    "claude task": ("Task", {"prompt": f"Look into {SECRET} and report"}),
    "codex shell": ("shell", {"command": ["bash", "-lc", f"sed -n 1,20p {SECRET}"]}),
    "codex patch": ("apply_patch", {"input": PATCH}),
    "codex patch in shell": ("shell", {"command": ["apply_patch", PATCH]}),
    "codex exec": ("exec_command", {"cmd": f"nl -ba {SECRET}", "workdir": "/w"}),
    "opencode read": ("read", {"filePath": SECRET}),
    "opencode patch": ("patch", {"patchText": PATCH}),
    "opencode list": ("list", {"path": SECRET}),
    "opencode grep": ("grep", {"pattern": "x", "include": SECRET}),
    "cline read": ("read_file", {"path": SECRET}),
    "cline write": ("write_to_file", {"path": SECRET, "content": "x"}),
    "cline command": ("execute_command", {"command": f"git diff -- {SECRET}"}),
    "mcp": ("mcp__fs__read_multiple_files", {"paths": ["a.txt", SECRET]}),
    "mcp uri": ("mcp__ide__open", {"uri": f"file:///home/u/{SECRET}"}),
    "mcp nested": ("mcp__fs__ops", {"ops": [{"kind": "read", "target_file": SECRET}]}),
    "mcp mention": ("mcp__x__ask", {"question": f"what is in {SECRET}"}),
}


@pytest.mark.parametrize("which", CALLS)
def test_a_call_names_its_file(which):
    assert any(path.endswith(SECRET) for path in paths_of(*CALLS[which]))


COMMANDS = [
    "cat {}", "head -n 3 {}", "sed -n '1,5p' {}", "grep -rn foo {}", "git show HEAD~2:{}",
    "git diff main -- {}", "python tools/x.py < {}", "echo hi > {}", "cat <<'EOF' > {}\nhi\nEOF",
    "bash -lc 'cat {}'", 'bash -c "cd / && cat {}"', "cat '{}'", 'cat "{}"', "rg --file={} x",
    "$(cat {})", "`cat {}`", "a=1; cat {}", "true && cat {} || true", "scp host:{} .", "vim +3 {}",
    "curl -d @x -o {} https://h/", "cat 'unclosed {}", "type {}", "FOO={} make",
    "F={}; cat $F", "dd if={} of=/tmp/x", "grep -f{} .", "tar -xf{}", "python -c \"open('{}')\"",
    "python -c 'print(open(`{}`).read())'", "cat {{},b}", "cat {b,{}}", "sudo cat {}",
    "cat pay''ments/ledger.py", r"cat pay\ments/ledger.py", r"cat p\ay\ments/ledger.py",
    r"type payments\ledger.py", "node -e 'f(\"{}\")'", "timeout 5 xargs -a {}",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_its_file(command):
    found = paths_of("Bash", {"command": command.replace("{}", SECRET)})
    assert any(path.endswith(SECRET) for path in found)


def test_a_folder_named_plainly_counts_for_programs_that_read_files():
    assert "payments" in paths_of("Bash", {"command": "cd payments && cat ledger.py"})
    assert "payments" in paths_of("Bash", {"command": "grep -rn total payments"})
    assert "payments" not in paths_of("Bash", {"command": "git commit -m payments"})
    for command in (
        "sudo ls payments", "git diff payments", "git log -p payments", "git -C payments status",
        "make -C payments", "FOO=1 cat payments", "D=payments; cat $D/x", "xargs cat payments",
    ):  # fmt: skip
        assert "payments" in paths_of("Bash", {"command": command}), command


def test_a_quoted_name_with_spaces_is_one_path():
    found = paths_of("Bash", {"command": r"cat 'pay roll/x.py' && cat pay\ roll/y.py"})
    assert {"pay roll/x.py", "pay roll/y.py"} <= set(found)


def test_what_is_written_is_not_where_it_is_written():
    call: dict[str, object] = {
        "file_path": "a.py",
        "content": "see payments/ledger.py",
        "old_string": "b/c.py",
    }
    assert paths_of("Write", call) == ("a.py",)


def test_windows_paths_have_slashes():
    assert "C:/code/payments/x.cs" in paths_of("Bash", {"command": r"type C:\code\payments\x.cs"})
    assert paths_of("Read", {"file_path": r"src\payments\x.cs"}) == ("src/payments/x.cs",)


RESULTS = {
    "grep": f"{SECRET}:12:def total():",
    "grep column": f"{SECRET}:12:4: error",
    "diff": f"diff --git a/{SECRET} b/{SECRET}\nindex 1..2",
    "diff old": f"--- a/{SECRET}\n+++ /dev/null",
    "diff new": f"--- /dev/null\n+++ b/{SECRET}\t2026-01-01",
    "patch": PATCH,
    "tag": f"<path>{SECRET}</path>\n<content>1: x</content>",
    "attribute": f'<file path="{SECRET}">x</file>',
    "head": f"==> {SECRET} <==\nx",
    "grep without numbers": f"./{SECRET}:def total():",
    "grep with a heading": f"{SECRET}\n12:def total():",
    "a tool's reminder": f'Called the Read tool with the following input: {{"file_path":"/w/{SECRET}"}}',
    "a file that changed": f"Note: /w/{SECRET} was modified, either by the user or by a linter",
    "a selection": f"The user selected the lines 1 to 9 from /w/{SECRET}:\ndef total():",
    "contents": f"Contents of /w/{SECRET} (project instructions):\n\ndef total():",
    "name above a fence": f"{SECRET}\n```python\ndef total():\n```",
    "heading above a fence": f"### File: `{SECRET}`\n\n```\ndef total():\n```",
    "name in a fence": f"```python {SECRET} (1-10)\ndef total():\n```",
    "name in a comment": f"# {SECRET}\ndef total():",
    "name on a line": f"File: {SECRET}\ndef total():",
    "source tag": f"<document><source>{SECRET}</source>",
    "traceback": f'  File "/w/{SECRET}", line 3, in total',
}


@pytest.mark.parametrize("which", RESULTS)
def test_a_result_says_where_its_lines_come_from(which):
    assert any(path.endswith(SECRET) for path in paths_in_result("first\n" + RESULTS[which] + "\n"))


def test_prose_and_code_name_no_path():
    said = "at 12:30:15 we met: a: 1\nhttp://localhost:8080/x\n--- \nx = {1:2:3}\nkey: value:1\n"
    assert [path for path in paths_in_result(said) if "/" in path and "local" not in path] == []


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("./a/../b//c.py", "b/c.py"), ("file:///a%20b/c", "/a b/c"), ("a\\b", "a/b"), ("", ""),
        (".", ""), ("/dev/null", ""), ("//a/b", "/a/b"), ("../a", "../a"), ('"a/b",', "a/b"),
    ],
)  # fmt: skip
def test_paths_are_normalised(path, normal):
    assert normalise(path) == normal


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_command_and_any_result_can_be_read(text):
    assert all(paths_of("Bash", {"command": text + f"\ncat {SECRET}\n", "path": text}))
    assert all(paths_in_result(text))


def test_half_a_surrogate_pair_in_a_command_hides_no_path_and_fails_nothing():
    assert "payments/x" in paths_of(
        "Bash", {"command": "echo \ud83d A=\ud800 {a,\ud800}; cat payments/x"}
    )
