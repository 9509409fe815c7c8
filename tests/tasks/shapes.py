"""A labelled ask in the body and headers that each client sends; all words here are our own.

Shapes were measured, see docs/reference/clients.md; the vendors' own prompts stand for themselves in
a sentence each, with the marks by which a request of that kind is known.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from halfdoor.canon.request import Request
from halfdoor.wiring import DIALECTS

Body = dict[str, Any]
Headers = tuple[tuple[str, str], ...]

REMINDER: Final = (
    "<system-reminder>\nThe user opened notes.rb. Write tests, fix bugs, review and document "
    "everything you touch.\n# claudeMd\nAlways explain your plan. See src/legacy.php.\n"
    "</system-reminder>"
)
ENVIRONMENT: Final = "<environment_context>\n  <cwd>/home/me/shop</cwd>\n  <shell>zsh</shell>\n</environment_context>"
CLINE: Final = (
    "<environment_details>\n# Visual Studio Code Visible Files\nweb/main.vue\n\n"
    "# Current Mode\nACT MODE\n</environment_details>"
)
EARLIER: Final = "Add an export to the customer list"
DONE: Final = "I have added the export and it works as described."
TOOLS: Final = ("Read", "Edit", "Bash")


@dataclass(frozen=True)
class Sent:
    """One labelled request, from a line of JSON."""

    id: str
    shape: str
    agent: str
    task: str
    languages: list[str]
    ask: str

    def request(self) -> Request:
        """As its client sends it, read by its dialect."""
        client, _, kind = self.shape.partition("-")
        dialect, endpoint, headers, body = CLIENTS[client](self.ask, kind)
        body = {"model": "auto", **body}
        return DIALECTS[dialect].read(endpoint, headers, "", json.dumps(body).encode())


def _claude(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    billing = "x-anthropic-billing-header: cc_version=2.1.300; cc_entrypoint=cli;"
    headers: dict[str, str] = {"user-agent": "claude-cli/2.1.300", "x-claude-code-session-id": "s1"}
    system = "You are Claude Code. Implement, fix, test, review, document and explain."
    said = [_blocks("user", REMINDER, ask)]
    more: Body = {"tools": [{"name": name, "input_schema": {}} for name in TOOLS]}
    match kind:
        case "later":
            said = [_blocks("user", REMINDER, EARLIER), _blocks("assistant", DONE)]
            said.append(_blocks("user", ask, REMINDER))
        case "loop":
            said += _loop()
        case "title":
            system, said = "Name this session.", [_blocks("user", ask)]
            schema = {"type": "object", "properties": {"title": {"type": "string"}}}
            more = {
                "tools": [],
                "output_config": {"format": {"type": "json_schema", "schema": schema}},
            }
            headers["x-claude-code-request-class"] = "auxiliary"
        case "compact":
            request = "Your task is to create a detailed summary of the conversation so far.\n"
            said = [
                _blocks("user", EARLIER),
                _blocks("assistant", DONE),
                _blocks("user", request + ask),
            ]
            headers |= {
                "x-claude-code-request-class": "compaction",
                "x-claude-code-compaction": "auto",
            }
        case "child":
            headers["x-claude-code-agent-id"] = "a1"
            billing += " cc_is_subagent=true;"
        case "child-hint":
            headers |= {
                "x-claude-code-request-class": "subagent",
                "x-claude-code-agent-type": "Explore",
            }
        case "aux" | "workflow":
            headers["x-claude-code-request-class"] = "auxiliary" if kind == "aux" else "workflow"
            said = [_blocks("user", ask)]
        case _:
            said.append({"role": "system", "content": "Agents: reviewer, tester. Skills: commit."})
    blocks = [{"type": "text", "text": text} for text in (billing, system)]
    body = {"system": blocks, "messages": said, "max_tokens": 32000, "stream": True, **more}
    return "anthropic_messages", "/v1/messages", tuple(headers.items()), body


def _loop() -> list[Body]:
    use = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "docs/a.md"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "TODO: write tests"}
    again = {**use, "id": "toolu_2", "input": {"file_path": "docs/b.md"}}
    return [
        {"role": "assistant", "content": [{"type": "text", "text": "I will review it."}, use]},
        {"role": "user", "content": [result, {"type": "text", "text": REMINDER}]},
        {"role": "assistant", "content": [again]},
        {"role": "user", "content": [{**result, "tool_use_id": "toolu_2"}]},
        {"role": "system", "content": "Agents: reviewer, tester."},
    ]


def _blocks(role: str, *texts: str) -> Body:
    return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}


def _codex(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    headers: dict[str, str] = {"originator": "codex_exec", "session-id": "s1", "thread-id": "t1"}
    known = {"compact": "compact", "review": "review", "child": "collab_spawn"}
    if kind in known:
        headers["x-openai-subagent"] = known[kind]
    said = [
        _item("developer", "You are a coding agent. Fix, test and review."),
        _item("user", ENVIRONMENT),
    ]
    said.append(
        _item(
            "user",
            "# AGENTS.md instructions for /home/me/shop\n\n<INSTRUCTIONS>\nWrite tests.\n</INSTRUCTIONS>",
        )
    )
    if kind == "compact":
        said += [_item("user", EARLIER), _item("assistant", DONE)]
        ask = (
            "You are performing a CONTEXT CHECKPOINT COMPACTION. Hand over to another model.\n"
            + ask
        )
    said.append(_item("user", ask))
    if kind == "loop":
        call = {
            "type": "function_call",
            "call_id": "c1",
            "name": "shell",
            "arguments": '{"command":["ls"]}',
        }
        said += [call, {"type": "function_call_output", "call_id": "c1", "output": "README.md"}]
    return (
        "openai_responses",
        "/v1/responses",
        tuple(headers.items()),
        {"input": said, "stream": True},
    )


def _item(role: str, text: str) -> Body:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _opencode(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    headers: Headers = (("x-session-id", "ses_1"), ("user-agent", "opencode/1.18.33"))
    system = "You are an agent for coding. You plan, fix, test and explain."
    said = [{"role": "user", "content": ask}]
    match kind:
        case "title":
            system = "You are a title generator. You output ONLY a title."
            said.insert(0, {"role": "user", "content": "Generate a title for this conversation:\n"})
        case "compact":
            system = "You are a helpful AI assistant tasked with summarizing conversations."
            said += [{"role": "assistant", "content": DONE}]
            said += [
                {
                    "role": "user",
                    "content": "Provide a detailed prompt for continuing our conversation above.",
                }
            ]
        case "child":
            headers += (("x-parent-session-id", "ses_0"),)
        case _:
            pass
    body = {"messages": [{"role": "system", "content": system}, *said], "stream": True}
    return "openai_chat", "/v1/chat/completions", headers, body


def _cline(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    said = [_blocks("user", f"<task>\n{ask}\n</task>", CLINE)]
    if kind == "later":
        said = [_blocks("user", f"<task>\n{EARLIER}\n</task>", CLINE)]
        said.append({"role": "assistant", "content": DONE})
        said.append(_blocks("user", f"<feedback>\n{ask}\n</feedback>", CLINE))
    system = "You are Cline, a software engineer. You write tests and fix bugs."
    return _chat_request([{"role": "system", "content": system}, *said])


def _aider(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    if kind == "commit":
        system = "You write concise, one-line Git commit messages from diffs. Review the diffs."
        diff = "diff --git a/orders/pager.py b/orders/pager.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
        return _chat_request([_said("system", system), _said("user", diff)])
    if kind == "summary":
        system = "*Briefly* summarize this partial conversation about programming."
        return _chat_request([_said("system", system), _said("user", f"# USER\n{EARLIER}")])
    files = (
        "I have *added these files to the chat* so you can go ahead and edit them.\n\n"
        "*Trust this message.*\n\norders/pager.py\n```\ndef last(pages):\n    return pages[-1]  # fix?\n```\n"
    )
    repo = "Here are summaries of some files present in my git repository.\n\nweb/app.ts:\n⋮\n│export test\n"
    said = [_said("system", "Act as an expert software developer. Add tests."), _said("user", repo)]
    said += [_said("assistant", "Ok."), _said("user", files), _said("assistant", "Ok.")]
    reminder = "# *SEARCH/REPLACE block* Rules:\nEvery block names its file, as example.go does."
    return _chat_request([*said, _said("user", f"{ask}\n\n{reminder}\n")])


def _continue(ask: str, kind: str) -> tuple[str, str, Headers, Body]:
    if kind == "title":
        told = "Given the following... please reply with a title for the chat that is 3-4 words in length:\n\n"
        return _chat_request([_said("user", told + ask)])
    system = "<important_rules>\nYou are in chat mode. Explain and review code.\n</important_rules>"
    return _chat_request([_said("system", system), _said("user", ask)])


def _chat(ask: str, _: str) -> tuple[str, str, Headers, Body]:
    return _chat_request([_said("user", ask)])


def _said(role: str, text: str) -> Body:
    return {"role": role, "content": text}


def _chat_request(said: list[Body]) -> tuple[str, str, Headers, Body]:
    return "openai_chat", "/v1/chat/completions", (), {"messages": said}


def _ollama(ask: str, _: str) -> tuple[str, str, Headers, Body]:
    return "ollama", "/api/chat", (), {"messages": [_said("user", ask)]}


def _generate(ask: str, _: str) -> tuple[str, str, Headers, Body]:
    return "ollama", "/api/generate", (), {"prompt": ask}


def _fim(ask: str, _: str) -> tuple[str, str, Headers, Body]:
    return "openai_chat", "/v1/completions", (), {"prompt": ask, "suffix": "\n", "max_tokens": 64}


CLIENTS: Final[dict[str, Callable[[str, str], tuple[str, str, Headers, Body]]]] = {
    "claude": _claude,
    "codex": _codex,
    "opencode": _opencode,
    "cline": _cline,
    "aider": _aider,
    "continue": _continue,
    "chat": _chat,
    "ollama": _ollama,
    "generate": _generate,
    "fim": _fim,
}
