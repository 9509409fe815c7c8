"""Codex 0.169.0, as it asks: Responses, streamed, deaf to `x-should-retry`, up to thirty times."""

from typing import Any, Final

from tests.chaos.habits import CUT, ERROR, LOST, BrokenError, Habits, Reply, events

TOOL: Final = {
    "type": "function",
    "name": "Read",
    "strict": False,
    "parameters": {"type": "object", "properties": {"file_path": {"type": "string"}}},
}


class Codex:
    """It keeps no state at the vendor: sealed reasoning comes back in every turn."""

    name = "codex"
    path = "/v1/responses"
    habits = Habits(
        tries={401: 6, 403: 6, 404: 6, 429: 1, 500: 30, 502: 30, 503: 30, 504: 30, 529: 30,
               CUT: 6, ERROR: 6, LOST: 30},
        waited={429: 6},
        coded={"server_is_overloaded": 5, "insufficient_quota": 1, "context_length_exceeded": 1},
    )  # fmt: skip

    def headers(self, session: str) -> dict[str, str]:
        return {
            "user-agent": "codex_cli_rs/0.169.0",
            "session-id": session,
            "originator": "codex_cli_rs",
        }

    def body(self, model: str, history: list[dict[str, Any]], *, stream: bool) -> dict[str, Any]:
        kept = {"store": False, "include": ["reasoning.encrypted_content"], "stream": stream}
        return {"model": model, "input": history, "tools": [TOOL], **kept}

    def says(self, text: str) -> dict[str, Any]:
        said = [{"type": "input_text", "text": text}]
        return {"type": "message", "role": "user", "content": said}

    def result(self, call: str, text: str) -> dict[str, Any]:
        return {"type": "function_call_output", "call_id": call, "output": text}

    def read(self, body: bytes, *, stream: bool) -> Reply:
        items: list[dict[str, Any]] = []
        for event in events(body):
            match event["type"]:
                case "response.output_item.done":
                    items.append(event["item"])
                case "error" | "response.failed":
                    raise BrokenError(ERROR)
                case "response.completed" | "response.incomplete":
                    calls = (i["call_id"] for i in items if i["type"] == "function_call")
                    return Reply(items, tuple(calls))
        raise BrokenError(CUT)
