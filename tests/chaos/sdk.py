"""A program that uses openai-python, as it asks: Chat, two retries, none once a stream has begun."""

from typing import Any, Final

from tests.chaos.habits import CUT, ERROR, LOST, BrokenError, Habits, Reply, events

TOOL: Final = {
    "type": "function",
    "function": {
        "name": "Read",
        "description": "Reads.",
        "parameters": {"type": "object", "properties": {"file_path": {"type": "string"}}},
    },
}
_AGAIN: Final = (408, 409, 429, 500, 502, 503, 504, 529)


class Sdk:
    """Whatever is written with it shows a broken stream to its user."""

    name = "openai-sdk"
    path = "/v1/chat/completions"
    habits = Habits(
        tries={**dict.fromkeys(_AGAIN, 3), LOST: 3, CUT: 1, ERROR: 1},
        heeds=frozenset(_AGAIN),
        counts=True,
    )

    def headers(self, session: str) -> dict[str, str]:
        return {"user-agent": "AsyncOpenAI/Python 3.52", "x-session-id": session}

    def body(self, model: str, history: list[dict[str, Any]], *, stream: bool) -> dict[str, Any]:
        return {"model": model, "messages": history, "tools": [TOOL], "stream": stream}

    def says(self, text: str) -> dict[str, Any]:
        return {"role": "user", "content": text}

    def result(self, call: str, text: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": call, "content": text}

    def read(self, body: bytes, *, stream: bool) -> Reply:
        said: dict[str, Any] = {"role": "assistant", "content": ""}
        calls: list[dict[str, Any]] = []
        for event in events(body):
            if "error" in event:
                raise BrokenError(ERROR)
            for choice in event["choices"]:
                said["content"] += choice["delta"].get("content") or ""
                for part in choice["delta"].get("tool_calls") or ():
                    _grow(calls, part)
        if b"data: [DONE]" not in body:
            raise BrokenError(CUT)
        told = said | ({"tool_calls": calls} if calls else {})
        return Reply([told], tuple(call["id"] for call in calls))


def _grow(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    if part["index"] == len(calls):
        calls.append(
            {"id": part["id"], "type": "function", "function": {"name": "", "arguments": ""}}
        )
    for name, text in part["function"].items():
        calls[part["index"]]["function"][name] += text or ""
