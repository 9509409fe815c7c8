"""What a tool that believes it speaks to Ollama asks besides chatting: version, models, one model.

Answers are made of the configuration's cards; nothing is asked of an engine, and nothing is loaded
or pulled. What is not known is left out rather than made up.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.cards import Card
from halfdoor.canon.request import Kind
from halfdoor.errors import ClientError

# The oldest that Codex takes is 0.13.4; the API spoken here is this one's.
VERSION: Final = "0.13.5"
# Below these a body is read, for the name in it.
SHOW: Final = "/api/show"
PULL: Final = "/api/pull"
ASKING: Final = frozenset({SHOW, PULL})
BODY_BYTES: Final = 64 * 1024

# Clients want a date; a name in a configuration has none.
_NO_TIME: Final = "1970-01-01T00:00:00Z"
_ABILITIES: Final = {
    Kind.CHAT: ("completion", "tools"),
    Kind.COMPLETION: ("completion", "insert"),
    Kind.EMBEDDING: ("embedding",),
}


class _Named(Struct):
    """A request about one model; older clients say `name`."""

    model: str = ""
    name: str = ""


_named: Final = msgspec.json.Decoder(_Named)


class Engine:
    """The pages for these cards. ids: the names that tools may ask for."""

    def __init__(self, cards: Sequence[Card], ids: Sequence[str]) -> None:
        self._cards = {card.name: card for card in cards}
        self._ids = tuple(ids)

    def version(self) -> bytes:
        """`GET /api/version`."""
        return msgspec.json.encode({"version": VERSION})

    def tags(self) -> bytes:
        """`GET /api/tags`: every name, each with the tag that clients put behind one."""
        return msgspec.json.encode({"models": [self._listed(name) for name in self._ids]})

    def loaded(self) -> bytes:
        """`GET /api/ps`: nothing is loaded here."""
        return msgspec.json.encode({"models": []})

    def about(self, path: str, body: bytes) -> bytes:
        """`POST /api/show` and `/api/pull`. Raises ClientError, 404, for an unknown name."""
        name = self._asked(body)
        if path == PULL:
            return msgspec.json.encode({"status": "success"})
        card = self._cards.get(name)
        kinds = card.kinds if card else (Kind.CHAT,)
        abilities = dict.fromkeys(able for kind in kinds for able in _ABILITIES[kind])
        facts: dict[str, object] = {"general.architecture": "halfdoor"}
        if card and card.context_tokens:
            facts["halfdoor.context_length"] = card.context_tokens
        return msgspec.json.encode(
            {
                "modelfile": "",
                "template": "",
                "parameters": "",
                "details": _details(),
                "model_info": facts,
                "capabilities": list(abilities),
                "modified_at": _NO_TIME,
            }
        )

    def _asked(self, body: bytes) -> str:
        try:
            read = _named.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ClientError("the body is not valid JSON", code="invalid_json") from None
        asked = read.model or read.name
        name = asked.removesuffix(":latest")
        if name not in self._ids:
            raise ClientError(
                f"model '{asked[:80]}' not found",
                status=404,
                code="model_not_found",
                hint="`GET /api/tags` lists the names; halfdoor pulls nothing",
            )
        return name

    def _listed(self, name: str) -> dict[str, object]:
        tagged = name if ":" in name else f"{name}:latest"
        return {
            "name": tagged,
            "model": tagged,
            "modified_at": _NO_TIME,
            "size": 0,
            "digest": "",
            "details": _details(),
        }


def _details() -> dict[str, object]:
    return {
        "parent_model": "",
        "format": "",
        "family": "",
        "families": None,
        "parameter_size": "",
        "quantization_level": "",
    }
