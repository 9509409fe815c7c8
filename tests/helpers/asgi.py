"""The client's side of an ASGI application, without a socket between them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class AsgiClient:
    """The ASGI side: sends a body in pieces, hears the answer, and may leave in the middle of it."""

    pieces: list[bytes]
    leaves_after: int | None = None
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    async def receive(self) -> dict[str, Any]:
        if self.pieces:
            piece = self.pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        if self.leaves_after is not None and len(self.body) >= self.leaves_after:
            raise ConnectionResetError("the client has gone")
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]
            self.whole = not message.get("more_body", False)

    async def ask(
        self, app: Any, target: str, headers: dict[str, str], *, method: str = "POST"
    ) -> None:
        """One request. Raises what the application raises."""
        path, _, query = target.partition("?")
        fields = {"host": "127.0.0.1", **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in fields.items()
            ],
        }
        await app(scope, self.receive, self.send)
