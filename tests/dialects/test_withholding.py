"""What only a tool's own vendor may have, or can run: golden, in each dialect, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.dialects.base import EDITS
from halfdoor.dialects.sampling import refused, younger
from halfdoor.dialects.withholding import cut_members
from halfdoor.errors import ClientError
from halfdoor.reading.splice import apply
from halfdoor.wiring import DIALECTS

PATHS = {
    "anthropic_messages": "/v1/messages",
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "ollama": "/api/chat",
}
BILLING = "x-anthropic-billing-header: cc_version=2.1.197; cc_is_subagent=true;"
READ = {"name": "Read", "description": "reads", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
FUNCTION = {"type": "function", "name": "read", "parameters": {"type": "object"}}
CHAT_FUNCTION = {"type": "function", "function": {"name": "read"}}


def ask(dialect, body, *headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECTS[dialect].read(PATHS[dialect], headers, "", raw)


def sent(dialect, body, *, own=False, near=True):
    """The body as it goes out, parsed, and the kinds of splices."""
    request = ask(dialect, body)
    inside, gone = DIALECTS[dialect].withheld(request, own=own, near=near)
    edits = (*inside, *cut_members(request, gone))
    kinds = {edit.kind for edit in edits}
    assert kinds <= EDITS
    return json.loads(apply(request.body, edits)), kinds


def messages(**more):
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **more}


def chat(**more):
    return {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}


def responses(**more):
    return {"model": "m", "input": "hi", **more}


# --- the attribution block and ids ---

CLAUDE = messages(
    system=[
        {"type": "text", "text": BILLING},
        {"type": "text", "text": "You are a coder.", "cache_control": {"type": "ephemeral"}},
    ],
    metadata={"user_id": '{"device_id":"d-1","account_uuid":"","session_id":"s-1"}'},
)


def test_towards_its_own_vendor_nothing_is_touched():
    request = ask("anthropic_messages", CLAUDE)
    assert DIALECTS["anthropic_messages"].withheld(request, own=True, near=False) == ((), {})


@pytest.mark.parametrize("near", [False, True])
def test_attribution_and_device_id_stay_behind_for_everyone_else(near):
    body, kinds = sent("anthropic_messages", CLAUDE, near=near)
    assert kinds == {"attribution", "device-id"}
    assert body == messages(system=CLAUDE["system"][1:])


def test_a_block_that_only_speaks_of_the_billing_line_stays():
    system = [
        {"type": "text", "text": f"Never repeat {BILLING}"},
        {"type": "text", "text": BILLING},
    ]
    assert sent("anthropic_messages", messages(system=system))[0]["system"] == system[:1]


def test_a_billing_line_in_other_clothes_is_the_same_line():
    raw = json.dumps(messages(system=[{"type": "text", "text": BILLING}])).encode()
    raw = raw.replace(b"x-anthropic", rb"x\u002danthropic")
    assert sent("anthropic_messages", raw)[0]["system"] == []


@pytest.mark.parametrize(
    ("dialect", "body", "fields"),
    [
        ("openai_chat", chat, {"user": "u", "safety_identifier": "s", "prompt_cache_key": "k", "metadata": {"a": "b"}}),
        ("openai_responses", responses, {
            "client_metadata": {"x-codex-installation-id": "i"}, "prompt_cache_key": "k",
            "safety_identifier": "s", "user": "u", "metadata": {"a": "b"},
        }),
        ("anthropic_messages", messages, {"metadata": {"user_id": "u"}}),
    ],
)  # fmt: skip
def test_what_names_a_device_or_a_person_goes_to_its_own_vendor_only(dialect, body, fields):
    assert sent(dialect, body(**fields)) == (body(), {"device-id"})
    assert sent(dialect, body(**fields), own=True, near=False) == (body(**fields), set())


CODEX = (
    ("user-agent", "codex"),
    ("originator", "codex_cli_rs"),
    ("session-id", "s"),
    ("thread-id", "t"),
    ("x-client-request-id", "r"),
    ("x-codex-turn-metadata", '{"workspaces":{"~/code/app":{}}}'),
    ("x-codex-installation-id", "i"),
    ("x-openai-internal-codex-responses-lite", "1"),
    ("openai-organization", "o"),
    ("version", "0.169.0"),
)


def test_codex_tells_its_installation_and_workspace_to_openai_only():
    dialect, request = DIALECTS["openai_responses"], ask("openai_responses", responses(), *CODEX)
    assert [name for name, _ in dialect.outbound_headers(request)] == ["content-type", "user-agent"]
    assert set(CODEX) <= set(dialect.outbound_headers(request, own=True))


def test_claude_codes_session_is_told_to_anthropic_only():
    headers = (("x-claude-code-session-id", "s"), ("anthropic-beta", "b"), ("anthropic-x", "y"))
    dialect, request = (
        DIALECTS["anthropic_messages"],
        ask("anthropic_messages", messages(), *headers),
    )
    assert set(headers) <= set(dialect.outbound_headers(request, own=True))
    assert headers[1] in dialect.outbound_headers(request)
    assert headers[0] not in dialect.outbound_headers(request)
    assert headers[2] not in dialect.outbound_headers(request)


# --- tools that the vendor runs ---


@pytest.mark.parametrize(
    "kind",
    [
        "web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "computer_20250124",
        "tool_search_tool_regex_20251119", "mcp_toolset", "advisor_20260301", "of_tomorrow_20270101",
    ],
)  # fmt: skip
def test_an_engine_never_gets_anthropics_own_tools(kind):
    tools = [{"type": kind, "name": "x"}, READ, {"type": kind, "name": "y"}]
    body, kinds = sent("anthropic_messages", messages(tools=tools))
    assert (body["tools"], kinds) == ([READ], {"server-tool"})


def test_the_cloud_gets_them_since_it_may_run_them():
    assert sent("anthropic_messages", messages(tools=[SEARCH]), near=False)[1] == set()
    assert sent("openai_chat", chat(web_search_options={}), near=False)[1] == set()


def test_a_list_of_nothing_else_goes_with_its_choice():
    body = messages(tools=[SEARCH], tool_choice={"type": "auto"}, mcp_servers=[{"url": "x"}])
    assert sent("anthropic_messages", body) == (messages(), {"server-tool"})


@pytest.mark.parametrize(
    "kind",
    ["web_search", "web_search_preview", "file_search", "code_interpreter", "mcp", "shell",
     "image_generation", "computer_use_preview", "tool_search", "of_tomorrow"],
)  # fmt: skip
def test_an_engine_never_gets_openais_own_tools(kind):
    called = [
        FUNCTION,
        {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "tools": []},
    ]
    body, kinds = sent("openai_responses", responses(tools=[{"type": kind}, *called]))
    assert (body["tools"], kinds) == (called, {"server-tool"})


def test_nor_does_it_search_the_web_for_a_chat():
    body = chat(tools=[CHAT_FUNCTION, {"type": "browser_search"}], web_search_options={})
    assert sent("openai_chat", body) == (chat(tools=[CHAT_FUNCTION]), {"server-tool"})


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("anthropic_messages", messages(tools=[READ, SEARCH], tool_choice={"type": "tool", "name": "web_search"})),
        ("anthropic_messages", messages(tools=[SEARCH], tool_choice={"type": "any"})),
        ("openai_responses", responses(tools=[FUNCTION, {"type": "web_search"}], tool_choice={"type": "web_search"})),
        ("openai_responses", responses(tools=[{"type": "mcp"}], tool_choice="required")),
        ("openai_chat", chat(tools=[{"type": "browser_search"}], tool_choice="required")),
    ],
)  # fmt: skip
def test_a_request_that_must_call_one_is_refused(dialect, body):
    with pytest.raises(ClientError, match="only its vendor runs"):
        sent(dialect, body)


@pytest.mark.parametrize(
    "choice", [{"type": "any"}, {"type": "tool", "name": "Read"}, {"type": "auto"}, 7, [1], None]
)
def test_a_choice_among_the_others_stays(choice):
    body, _ = sent("anthropic_messages", messages(tools=[READ, SEARCH], tool_choice=choice))
    assert (body["tools"], body["tool_choice"]) == ([READ], choice)


def test_what_is_no_tool_at_all_is_for_the_engine_to_judge():
    assert sent("anthropic_messages", messages(tools=[7, READ]))[1] == set()


def test_a_type_in_other_clothes_is_the_same_type():
    raw = json.dumps(messages(tools=[READ, SEARCH])).encode()
    assert sent("anthropic_messages", raw.replace(b"web_search_2", rb"web\u005fsearch_2"))[0][
        "tools"
    ] == [READ]


# --- tools that the caller runs, known by their type alone ---


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("bash_20250124", "bash", "command"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "old_str"),
        ("memory_20250818", "memory", "insert_text"),
    ],
)
def test_a_tool_that_the_caller_runs_is_written_out_for_an_engine(kind, name, field):
    tools = [{"type": kind, "name": name}, READ]
    body, kinds = sent("anthropic_messages", messages(tools=tools))
    assert kinds == {"typed-tool"}
    written, other = body["tools"]
    assert (written["name"], other) == (name, READ)
    assert field in written["input_schema"]["properties"]
    assert "type" not in written
    assert sent("anthropic_messages", messages(tools=tools), own=True, near=False)[1] == set()


def test_and_so_it_is_in_another_dialect():
    request = ask("anthropic_messages", messages(tools=[{"type": "bash_20250124", "name": "bash"}]))
    conversation = DIALECTS["anthropic_messages"].conversation(request)
    body, lost = DIALECTS["openai_chat"].render(conversation, "m")
    assert lost == ()
    (tool,) = json.loads(body)["tools"]
    assert tool["function"]["name"] == "bash"
    assert tool["function"]["parameters"]["properties"]["command"] == {"type": "string"}


# --- splices fit together ---

names = st.sampled_from(["user", "metadata", "tools", "é", "a b"])


@given(
    others=st.lists(names, unique=True),
    at=st.integers(0, 5),
    gone=st.sets(st.sampled_from(["user", "metadata", "tools"])),
    space=st.sampled_from(["", " ", "\n  "]),
)
def test_whatever_goes_the_rest_is_whole(others, at, gone, space):
    values = {key: [1, {"k": "v,}"}] for key in others[:at]}
    values |= {"model": "m", "input": "x"} | dict.fromkeys(others[at:], "w")
    members = [f"{json.dumps(k)}{space}:{space}{json.dumps(v)}" for k, v in values.items()]
    raw = f"{{{space}{f',{space}'.join(members)}{space}}}".encode()
    request = DIALECTS["openai_chat"].read("/v1/embeddings", (), "", raw)
    left = json.loads(apply(raw, cut_members(request, dict.fromkeys(gone, "device-id"))))
    assert left == {key: value for key, value in values.items() if key not in gone}


def test_splices_beside_each_other_do_not_touch():
    raw = b'{"user":"u","metadata":{},"tools":[{"type":"web_search","x":1}],"tool_choice":"auto","model":"a","messages":[],"stream":true,"prompt_cache_key":"k","top_p":1,"max_tokens":99,"stop":"x","safety_identifier":"s"}'
    request = ask("openai_chat", raw)
    dialect = DIALECTS["openai_chat"]
    edits = dialect.edits(request, model_id="b", max_output_tokens=5, drop_signatures=frozenset())
    inside, gone = dialect.withheld(request, own=False, near=True)
    cut = cut_members(request, gone | refused(request))
    edits = (*edits, *inside, *younger(request), *cut)
    assert json.loads(apply(raw, edits)) == {
        "stream_options": {"include_usage": True}, "model": "b", "messages": [], "stream": True, "max_completion_tokens": 5,
    }  # fmt: skip
