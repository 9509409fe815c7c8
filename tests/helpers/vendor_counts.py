"""Counts of tokens, as the vendors serve them beside Messages and Responses."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from tests.helpers.scenes import Heard, Scene


class Counted(Protocol):
    """The dialect whose requests are counted."""

    def key_of(self, headers: Mapping[str, str]) -> str: ...

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard: ...

    def headers(self, request_id: str) -> dict[str, str]: ...

    def error(
        self, status: int, message: str, request_id: str, code: str | None = None
    ) -> bytes: ...


class CountsVendor:
    """Judges a request as its dialect does, less what only an answer needs; counts as told."""

    stream_type = ""

    def __init__(self, path: str, of: Counted) -> None:
        self.path = path
        self._of = of

    def key_of(self, headers: Mapping[str, str]) -> str:
        return self._of.key_of(headers)

    def streams(self, body: dict[str, Any]) -> bool:
        return False

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        needed = {"max_tokens": 1} if "messages" in body else {}
        return self._of.hear({**body, **needed}, headers)

    def headers(self, request_id: str) -> dict[str, str]:
        return self._of.headers(request_id)

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        object_ = {} if "messages" in body else {"object": "response.input_tokens"}
        return json.dumps({**object_, "input_tokens": scene.counts.prompt}).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        return [self.whole(scene, heard, body)]

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        return self._of.error(status, message, request_id, code)

    def error_event(self, message: str) -> bytes:
        return b""

    def garbled(self) -> bytes:
        return b"{"
