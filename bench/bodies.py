"""Request bodies: a small question, and a long coding turn of about 400 KB with tools.

A body says in its last message how many chunks its answer shall have: `@chunks=200`.
"""

import inspect
import json
import json.decoder
import json.encoder
import textwrap
from itertools import cycle, islice
from typing import Any, Final

CHAT: Final = "/v1/chat/completions"
MESSAGES: Final = "/v1/messages"

_TURNS: Final = 52
_FILE_CHARS: Final = 6_800
_TOOLS: Final = 20
_QUESTION: Final = (
    "The nightly job that settles invoices has begun to fail with a time-out. It opens one "
    "connection for each customer, asks for the open items page by page, and writes the sums in "
    "one transaction at the end. Say which of these three you would change first and why, what "
    "could go wrong with a retry in the middle of a page, and write a test with pytest that shows "
    "it. Keep to the style of the module; answer in a few lines.\n\n"
    "def settle(customers, client, ledger):\n"
    "    sums = {}\n"
    "    for customer in customers:\n"
    "        page = client.first(customer)\n"
    "        while page is not None:\n"
    "            sums[customer] = sums.get(customer, 0) + sum(item.cents for item in page)\n"
    "            page = client.next(page)\n"
    "    ledger.write(sums)\n\n"
    "The ledger refuses a second write on one day, so a half-done run has to be repeated whole. "
    "The client gives up after five seconds without saying which page it was."
)


def small(path: str, model: str, chunks: int = 0) -> bytes:
    """About 1 KB. chunks: of the streamed answer; 0 asks for a whole one."""
    return _body(path, model, chunks, [], [_user(f"@chunks={chunks} {_QUESTION}")])


def long_turn(path: str, model: str, chunks: int, *, run: int, last: int = 0) -> bytes:
    """About 400 KB: files that a tool has read, in turns.

    run: other runs share no block. last: other values differ in the last message only.
    """
    messages = [_user(f"Run {run}: please mend the failing test in the billing module.")]
    for turn, source in enumerate(islice(cycle(_sources()), _TURNS)):
        messages += _read_file(path, run, turn, source)
    messages.append(_user(f"@chunks={chunks} Go on, step {last}."))
    return _body(path, model, chunks, [_tool(path, run, n) for n in range(_TOOLS)], messages)


def _body(path: str, model: str, chunks: int, tools: list[Any], messages: list[Any]) -> bytes:
    body: dict[str, Any] = {"model": model, "max_tokens": 1024, "stream": chunks > 0}
    if path == MESSAGES:
        body["system"] = "You are a careful reviewer."
    else:
        messages = [{"role": "system", "content": "You are a careful reviewer."}, *messages]
    if tools:
        body["tools"] = tools
    return json.dumps({**body, "messages": messages}).encode()


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _read_file(path: str, run: int, turn: int, source: str) -> list[Any]:
    """A call that reads a file, and what it returned."""
    call, where = f"call_{run:04d}_{turn:04d}", f"src/billing/part_{run}_{turn}.py"
    text = f"# {where}\n{source}"
    if path == MESSAGES:
        use = {"type": "tool_use", "id": call, "name": "tool_0", "input": {"path": where}}
        result = {"type": "tool_result", "tool_use_id": call, "content": text}
        return [
            {"role": "assistant", "content": [{"type": "text", "text": f"I read {where}."}, use]},
            {"role": "user", "content": [result]},
        ]
    function = {"name": "tool_0", "arguments": json.dumps({"path": where})}
    made = {"id": call, "type": "function", "function": function}
    return [
        {"role": "assistant", "content": f"I read {where}.", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": call, "content": text},
    ]


def _tool(path: str, run: int, number: int) -> dict[str, Any]:
    name = f"tool_{number}"
    what = f"Tool {number} of run {run} reads, searches or edits files of the project. " * 4
    fields = {
        f"field_{n}": {"type": "string", "description": f"Field {n}: a path, a flag or a count."}
        for n in range(6)
    }
    schema = {"type": "object", "properties": fields, "required": ["field_0"]}
    if path == MESSAGES:
        return {"name": name, "description": what, "input_schema": schema}
    return {
        "type": "function",
        "function": {"name": name, "description": what, "parameters": schema},
    }


def _sources() -> list[str]:
    """Real code, so that its escapes and names are code's: modules of the standard library."""
    whole = "".join(map(inspect.getsource, (json.decoder, json.encoder, textwrap, inspect)))
    return [whole[at : at + _FILE_CHARS] for at in range(0, len(whole), _FILE_CHARS)]
