"""A key in two pieces that stand side by side.

Promised: pieces in neighbouring parts of one message. Not promised: pieces in two messages, two system
blocks or two requests; those are counted as out of scope and not tried.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.asks import Ask
from tests.leakhunt.bodies import plain
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import Ground, ask_for, variants
from tests.leakhunt.places import BOTH, CHAT, MESSAGES, result_of
from tests.leakhunt.planted import judge
from tests.leakhunt.search import Finder
from tests.leakhunt.status import waits
from tests.leakhunt.tally import Tally


@dataclass(frozen=True, slots=True)
class Split:
    """plant: puts two texts side by side."""

    name: str
    plant: Callable[[Ask, str, str], None]
    dialects: frozenset[str] = BOTH


def _texts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


def _user(ask: Ask, one: str, other: str) -> None:
    ask.body["messages"].append({"role": "user", "content": _texts(one, other)})


def _assistant(ask: Ask, one: str, other: str) -> None:
    ask.body["messages"] += [
        {"role": "assistant", "content": _texts(one, other)},
        {"role": "user", "content": "Go on."},
    ]


def _result(ask: Ask, one: str, other: str) -> None:
    result_of(ask, "Bash", {"command": "env"}, "")
    ask.body["messages"][-1]["content"][0]["content"] = _texts(one, other)


def _tool_message(ask: Ask, one: str, other: str) -> None:
    result_of(ask, "Bash", {"command": "env"}, "")
    ask.body["messages"][-1]["content"] = _texts(one, other)


SPLITS: Final = (
    Split("user's parts", _user),
    Split("model's parts", _assistant),
    Split("result's parts", _result, MESSAGES),
    Split("tool message's parts", _tool_message, CHAT),
)


async def hunt(ground: Ground, planted: tuple[Canary, ...], tally: Tally) -> None:
    """Each form of key, cut in its middle, in each pair of parts."""
    finder = Finder({canary.name: canary.needle for canary in planted})
    ground.cloud.take()
    for split in SPLITS:
        for canary in planted:
            for dialect, stream, asked in variants():
                if dialect not in split.dialects:
                    continue
                if waits("adjacent"):
                    tally.waiting["adjacent"] += 1
                    continue
                await plain(ground, dialect, finder, tally)
                ask, text = ask_for(dialect, asked, stream=stream), canary.text
                # Inside the heart of the key; its frame alone tells nothing.
                cut = text.index(canary.needle.decode()) + len(canary.needle) // 2
                split.plant(ask, f"access = {text[:cut]}", f"{text[cut:]}\nregion = eu")
                await ground.send(ask)
                case = f"{canary.name} cut in two in {split.name}: {dialect} to {asked}, {stream=}"
                judge(ground, case, finder, tally)
                tally.tried["key", split.name, "cut in two", dialect] += 1
