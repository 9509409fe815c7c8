"""Items of an answer as a tool of this dialect hears them, begun and whole."""

import re
from collections.abc import Sequence
from typing import Final

from halfdoor.canon.events import UNSIGNED, Open, PartKind, Start, StopReason
from halfdoor.canon.money import Usage
from halfdoor.dialects.openai_responses.names import Names, free_text
from halfdoor.dialects.openai_responses.wire import INCOMPLETE, counts_of

# Another vendor's hidden thinking travels as ciphertext; this mark tells it when it comes back.
REDACTED: Final = "redacted_thinking:"

_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_-]")
_TAIL: Final = 24
_PREFIXES: Final = {
    PartKind.TEXT: "msg",
    PartKind.THINKING: "rs",
    PartKind.REDACTED_THINKING: "rs",
    PartKind.TOOL_CALL: "fc",
}


def response_id(told: str) -> str:
    """The answer's id: the backend's own, with the prefix that clients expect."""
    return told if told.startswith("resp_") else f"resp_{_tail(told) or '0'}"


def item_id(kind: PartKind, output: int, answer: str) -> str:
    """An item's id: the same for every chunking, different in every answer."""
    return f"{_PREFIXES[kind]}_{output}_{_tail(answer)}"


def _tail(told: str) -> str:
    return _NOT_IN_IDS.sub("", told)[-_TAIL:]


def item_added(part: Open, id_: str, names: Names) -> dict[str, object]:
    """An item without its content."""
    return _item(part, id_, names, "in_progress", "", "")


def item_done(part: Open, id_: str, text: str, signature: str, names: Names) -> dict[str, object]:
    """A whole item. text: prose, thinking, or a call's JSON arguments."""
    return _item(part, id_, names, "completed", text, signature)


def _item(
    part: Open, id_: str, names: Names, status: str, text: str, signature: str
) -> dict[str, object]:
    match part.kind:
        case PartKind.TEXT:
            said = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
            content = said if status == "completed" else []
            message = {"type": "message", "role": "assistant", "content": content}
            return {"id": id_, "status": status, **message}
        case PartKind.TOOL_CALL:
            return _call(part, id_, names, status, text)
        case PartKind.THINKING | PartKind.REDACTED_THINKING:
            thoughts = [{"type": "reasoning_text", "text": text}] if text else []
            sealed = signature if signature and signature != UNSIGNED else None
            kept = {"summary": [], "content": thoughts, "encrypted_content": sealed}
            return {"id": id_, "type": "reasoning", **kept}


def _call(part: Open, id_: str, names: Names, status: str, text: str) -> dict[str, object]:
    origin = names.origin(part.name)
    call: dict[str, object] = {
        "id": id_, "status": status, "call_id": part.call_id, "name": origin.name,
    }  # fmt: skip
    if origin.namespace:
        call["namespace"] = origin.namespace
    if origin.custom:
        return call | {"type": "custom_tool_call", "input": free_text(text) if text else ""}
    arguments = (text or "{}") if status == "completed" else ""
    return call | {"type": "function_call", "arguments": arguments}


def response(
    start: Start,
    ended: StopReason | str,
    output: Sequence[dict[str, object]],
    used: Usage | None,
) -> dict[str, object]:
    """The answer as an object. ended: why, or a status for one that has not."""
    why = INCOMPLETE.get(ended) if isinstance(ended, StopReason) else None
    status = "incomplete" if why else "completed" if isinstance(ended, StopReason) else ended
    return {
        "id": start.id,
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "instructions": None,
        "metadata": {},
        "model": start.model,
        "output": list(output),
        "parallel_tool_calls": True,
        "store": False,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None if used is None else counts_of(used),
    }
