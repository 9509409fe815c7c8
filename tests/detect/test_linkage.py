"""Labels that travel from a call to its result, and from a shell's folder to later calls."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.labels import Label
from halfdoor.detect.linkage import Linkage
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.reading.prints import Prints
from tests.detect.bodies import assistant, call, messages, request, result, text, user

PRINTS = Prints(b"k" * 32)
GLOBS = ("payments/**", "infra/secrets/**", "**/*.pem")
CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"


def surveyor():
    return Surveyor((PathDetector(GLOBS),), PRINTS)


def places(body, glob="payments/**"):
    found = surveyor().survey(request(body)).labels
    return {label.place for label in found if label.name == f"path:{glob}"}


# --- a result carries what its call touched ---

ANTHROPIC = [
    call("Read", file_path="/w/payments/x.py"), call("Bash", command="cd payments && cat x.py"),
    call("Bash", command="git -C payments show HEAD:x.py"), call("Grep", pattern="x", path="payments"),
    call("mcp__fs__read_text_file", path="payments/x.py"), call("Task", prompt="sum up payments/x.py"),
    call("unheard_of", where={"path": "payments/x.py"}),
]  # fmt: skip


@pytest.mark.parametrize("made", ANTHROPIC, ids=lambda made: made["name"])
def test_a_result_that_names_no_path_carries_the_labels_of_its_call(made):
    body = messages(user(text("go")), assistant(made), user(result(CODE)))
    assert places(body) == {"messages[1]", "messages[2]"}


def chat(name, arguments, content=CODE, call_id="c1"):
    function = {"name": name, "arguments": json.dumps(arguments)}
    calls = [{"id": call_id, "type": "function", "function": function}]
    return {
        "messages": [
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": call_id, "content": content},
        ]
    }


def items(call_item, output_type):
    return {"input": [call_item, {"type": output_type, "call_id": "c1", "output": CODE}]}


OPENAI = {
    "chat": chat("read", {"filePath": "payments/x.py"}),
    "function": items(
        {"type": "function_call", "call_id": "c1", "id": "fc1", "name": "exec_command",
         "arguments": json.dumps({"cmd": "sed -n 1,9p payments/x.py"})}, "function_call_output"),
    "custom": items(
        {"type": "custom_tool_call", "call_id": "c1", "name": "exec",
         "input": "await tools.exec_command({cmd: 'cat payments/x.py'})"}, "custom_tool_call_output"),
    "local shell": items(
        {"type": "local_shell_call", "call_id": "c1",
         "action": {"type": "exec", "command": ["cat", "payments/x.py"]}}, "local_shell_call_output"),
    "shell": items(
        {"type": "shell_call", "call_id": "c1", "status": "completed",
         "action": {"commands": ["ls", "cat payments/x.py"], "timeout_ms": 9}}, "shell_call_output"),
    "apply patch": items(
        {"type": "apply_patch_call", "call_id": "c1",
         "operation": {"type": "update_file", "path": "payments/x.py", "diff": "@@\n-a\n+b"}},
        "apply_patch_call_output"),
    "an output that names its call as its own id": {"input": [
        {"type": "local_shell_call", "id": "lsh_1", "call_id": None,
         "action": {"type": "exec", "command": ["cat", "payments/x.py"]}},
        {"type": "local_shell_call_output", "id": "lsh_1", "output": CODE}]},
}  # fmt: skip


@pytest.mark.parametrize("which", OPENAI)
def test_so_does_a_result_in_the_openai_dialects(which):
    found = places(OPENAI[which])
    assert {place.partition("[")[2] for place in found} == {"0]", "1]"}


def test_parallel_results_carry_their_own_calls_labels_and_no_others():
    made = assistant(
        call("Read", "a", file_path="src/a.py"), call("Read", "b", file_path="payments/x.py")
    )
    body = messages(made, user(result(CODE, "a")), user(result(CODE, "b")))
    assert places(body) == {"messages[0]", "messages[2]"}


def test_a_call_without_a_result_and_a_result_without_its_call_are_taken_as_they_are():
    assert places(messages(assistant(call("Read", file_path="payments/x")))) == {"messages[0]"}
    assert places(messages(user(result(CODE)))) == set()


def test_an_id_that_is_used_twice_stands_for_both_calls():
    first = (assistant(call("Read", file_path="payments/x.py")), user(result(CODE)))
    second = (assistant(call("Read", file_path="src/a.py")), user(result("a = 1")))
    assert "messages[3]" in places(messages(*first, *second))


def bare(name, **arguments):
    """A turn as Ollama's clients send it: its calls have no ids."""
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}


def test_a_result_without_an_id_answers_the_last_calls_without_one():
    told = {"role": "tool", "tool_name": "read", "content": CODE}
    first = (bare("read", path="payments/x.py"), told, told)
    second = (bare("read", path="src/a.py"), told)
    assert places(messages(*first, *second)) == {f"messages[{n}]" for n in (0, 1, 2)}


def test_a_result_without_an_id_answers_a_call_that_has_one():
    told = {"role": "tool", "tool_name": "read", "content": CODE}
    made = chat("read", {"path": "payments/x.py"})["messages"][0]
    assert places(messages(made, told)) == {"messages[0]", "messages[1]"}


def test_a_listing_without_an_id_is_read_line_by_line():
    retired = {"role": "function", "name": "bash", "content": "README.md\npayments/x.py\n"}
    shown = {**retired, "role": "tool"}
    assert places(messages(bare("bash", command="ls -R"), shown, retired)) == {
        "messages[1]",
        "messages[2]",
    }


def test_what_looks_like_a_call_inside_a_result_does_not_hide_its_own():
    fake = [{"type": "x", "name": "read", "arguments": {"path": "src/a.py"}}]
    told = {"role": "tool", "tool_name": "read", "content": fake}
    body = messages(bare("read", path="payments/x.py"), told)
    assert places(body) == {"messages[0]", "messages[1]"}


def test_calls_without_ids_leave_no_mark_that_strangers_share():
    body = messages(bare("read", path="a"), {"role": "tool", "content": "a = 1"})
    found = surveyor().survey(request(body))
    assert found.marks == found.returning == ()


def test_what_runs_on_carries_what_earlier_commands_touched():
    body = messages(
        assistant(call("Bash", "a", command="tail -f payments/log", run_in_background=True)),
        user(result("running as bash_1", "a")),
        assistant(call("BashOutput", "b", bash_id="bash_1")),
        user(result("paid 12", "b")),
    )
    assert places(body) == {f"messages[{n}]" for n in (0, 1, 3)}


# --- listings ---


def test_a_listing_counts_where_its_call_lists_and_not_where_a_file_was_read():
    shown = "README.md\npayments/x.py\n"
    listing = messages(assistant(call("Bash", command="git ls-files")), user(result(shown)))
    ignored = messages(assistant(call("Read", file_path=".gitignore")), user(result(shown)))
    assert places(listing) == {"messages[1]"}
    assert places(ignored) == set()
    assert places(messages(user(result(shown)))) == {"messages[0]"}, "its call is not there"


def test_a_listing_of_the_root_shows_a_folder_and_not_what_is_in_it():
    made = assistant(call("LS", path="/w"))
    assert places(messages(made, user(result("- /w/\n  - payments/\n  - src/\n")))) == set()
    assert places(messages(made, user(result("- /w/\n  - payments/\n    - x.py\n")))) != set()


# --- a shell that stays where it was sent ---


def shell(*commands, tool="Bash"):
    turns = []
    for n, command in enumerate(commands):
        turns += [assistant(call(tool, f"t{n}", command=command)), user(result(CODE, f"t{n}"))]
    return messages(*turns)


def test_a_later_relative_path_may_lie_where_an_earlier_call_went():
    assert places(shell("cd infra", "cat secrets/x"), "infra/secrets/**") == {
        "messages[2]", "messages[3]",
    }  # fmt: skip
    assert places(shell("cd payments", "cat keys", "make"), "payments/**") == {
        f"messages[{n}]" for n in range(6)
    }


def test_other_tools_look_from_the_same_place():
    body = shell("cd infra")
    body["messages"].append(assistant(call("Grep", "g", pattern="x", path="secrets")))
    assert places(body, "infra/secrets/**") == {"messages[2]"}


@pytest.mark.parametrize(
    "commands",
    [
        ("cd infra", "cd ..", "cat secrets/x"), ("cd infra && ls && cd ..", "cat secrets/x"),
        ("cd infra", "cd /home/u/p", "cat secrets/x"), ("cat secrets/x", "cd infra"),
        ("bash -c 'cd infra && ls'", "cat secrets/x"), ("cd infra", "cat /other/secrets/x"),
    ],
)  # fmt: skip
def test_a_shell_that_is_elsewhere_by_then_leads_nowhere(commands):
    assert places(shell(*commands), "infra/secrets/**") == set()


def test_steps_add_up_and_may_each_have_failed():
    found = places(shell("cd deploy", "cd infra", "cat secrets/x"), "infra/secrets/**")
    assert found == {"messages[4]", "messages[5]"}
    assert places(shell("cd infra", "cd nowhere", "cat secrets/x"), "infra/secrets/**") != set()


def test_wandering_through_a_thousand_folders_stays_within_bounds():
    made = Linkage(PathDetector(GLOBS), PRINTS)
    survey = surveyor()
    survey.survey(request(shell(*(f"cd d{n}; cat x{n}" for n in range(300)))))
    assert survey._linkage._inside.cache_info().currsize <= 4096
    assert list(made.labels([])) == []


# --- what it must never do ---

TURNS = st.lists(
    st.sampled_from(
        [
            assistant(call("Bash", "a", command="cd infra")), user(result("ok", "a")),
            assistant(call("Bash", "b", command="cat secrets/x")), user(result(CODE, "b")),
            assistant(call("Read", "c", file_path="payments/x.py")), user(result(CODE, "c")),
            assistant(call("Glob", "d", pattern="*")), user(result("payments/x.py\nb", "d")),
            assistant(call("BashOutput", "e", bash_id="1")), user(result(CODE, "e")),
            assistant(call("Bash", "f", command="cd /w")), user(text("payments/x.py")),
        ]
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(TURNS, TURNS)
def test_later_turns_never_remove_a_label_and_a_warm_survey_finds_what_a_cold_one_finds(one, two):
    warm = surveyor()
    alone = warm.survey(request(messages(*one))).labels
    longer = request(messages(*one, *two))
    assert set(alone) <= set(warm.survey(longer).labels)
    assert warm.survey(longer) == surveyor().survey(longer)


COMMANDS = ["cat README.md", "cd infra", "cd /w && ls", "grep -rn x src", "git show HEAD:a.py", ""]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Bash", "shell", "Read", "Grep", "mcp__x__y", "unheard_of"]),
    st.dictionaries(
        st.sampled_from(["path", "command", "cwd", "pattern", "input", "note", "files"]),
        st.one_of(st.sampled_from(COMMANDS), st.text(max_size=30)),
        max_size=4,
    ),
    st.sampled_from(["file_path", "paths", "uri", "workdir"]),
)
def test_adding_a_path_to_a_call_never_removes_a_label(tool, arguments, key):
    before = messages(assistant(call(tool, "a", **arguments)), user(result(CODE, "a")))
    with_path = {**arguments, key: "payments/x.py"}
    after = messages(assistant(call(tool, "a", **with_path)), user(result(CODE, "a")))
    found = set(surveyor().survey(request(after)).labels)
    assert set(surveyor().survey(request(before)).labels) <= found
    assert Label("path:payments/**", "messages[1]", "paths") in found


class Failing(PathDetector):
    """Fails where a linkage asks it, not where a survey does."""

    def __init__(self, when):
        super().__init__(GLOBS)
        self._when = when

    def labels(self, paths, place=""):
        paths = tuple(paths)
        if paths and self._when in paths:
            raise RuntimeError("no memory")
        return super().labels(paths, place)

    def find(self, passage):
        return super().labels(passage.paths, passage.place)


@pytest.mark.parametrize(
    ("commands", "when", "place"),
    [
        (("cd infra", "cat secrets/x"), "infra/secrets/x", "request"),
        (("cat payments/x",), "payments/x", "messages[0]"),
    ],
)
def test_a_linkage_that_fails_leaves_scan_failed(commands, when, place):
    found = Surveyor((Failing(when),), PRINTS).survey(request(shell(*commands)))
    failed = {(x.place, x.detail) for x in found.labels if x.name == "scan-failed"}
    assert (place, "linkage") in failed


def test_nothing_is_linked_where_no_rule_speaks_of_a_path():
    without = Surveyor((PathDetector(()),), PRINTS)
    assert without._linkage is None
    assert without.survey(request(shell("cd payments", "cat x"))).labels == ()
