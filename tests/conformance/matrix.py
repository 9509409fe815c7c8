"""What holds between every tool's dialect and every backend's, measured through a real gateway."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.pictures import PNG
from tests.helpers.scenes import Cut, Refuse, Report, Say, Scene, Stall, Think, Use, digest
from tests.helpers.sdk import STREAMED, WHOLE, Called, Told
from tests.helpers.tongues import (
    ANSWER,
    FORMS,
    SDKS,
    TOOLS,
    again,
    asked_schema,
    picture,
    results,
)

HI: Final = [{"role": "user", "content": "hi"}]


@dataclass
class Cell:
    """One pair of dialects, one form. lost: what the latest answer's header says is degraded."""

    door: Gateway
    fake: FakeModel
    near: str
    far: str
    how: str
    lost: str = ""

    async def ask(self, asked: Any = HI, **more: Any) -> Told:
        sdk, send, field = SDKS[self.near]
        async with getattr(self.door, sdk)() as (client, wire):
            told: Told = await send(client, self.how, model=self.far, **{field: asked}, **more)
            self.lost = wire.headers.get("x-halfdoor-degraded", self.lost)
            return told

    @property
    def ids(self) -> tuple[str, str]:
        """Of two calls; a session is known by such, so each cell has its own."""
        return tuple(f"call_{self.near}_{self.far}_{self.how}_{n}" for n in "ab")  # type: ignore[return-value]


async def text(cell: Cell) -> bool:
    cell.fake.play(Scene((Say("It is in `Parser`. ✓"),)))
    told = await cell.ask()
    return (told.text, told.tokens[2]) == ("It is in `Parser`. ✓", 34)


async def _loop(cell: Cell, ids: tuple[str, ...]) -> bool:
    calls = [Use("Read", {"file_path": id_[-1]}, id_) for id_ in ids]
    cell.fake.play(Scene(tuple(calls)), Scene((Report(),)))
    tools = {"tools": [TOOLS[cell.near]]}
    first = await cell.ask(**tools)
    second = await cell.ask([*HI, *again(cell.near, first), *results(cell.near, first)], **tools)
    heard = json.loads(second.text)
    named = cell.near != "ollama"  # its SDK knows no ids: calls and results go by name and order
    wanted = [digest(f"of {id_ if named else n}") for n, id_ in enumerate(ids)]
    return (
        first.calls == tuple(Called(c.id if named else "", c.name, c.arguments) for c in calls)
        and list(heard["calls"].values())[-1] == calls[-1].arguments
        and list(heard["results"].values()) == wanted[-len(heard["results"]) :]
    )


async def tools(cell: Cell) -> bool:
    return await _loop(cell, cell.ids[:1])


async def parallel(cell: Cell) -> bool:
    return await _loop(cell, cell.ids)


async def images(cell: Cell) -> bool:
    cell.fake.play(Scene((Report(),)))
    told = await cell.ask(picture(cell.near))
    return bool(json.loads(told.text)["images"] == [["image/png", len(PNG)]])


async def thinking(cell: Cell) -> bool:
    """It is told, and goes back with the next turn."""
    cell.fake.play(Scene((Think("First the parser."), Say("Done."))), Scene((Report(),)))
    told = await cell.ask()
    await cell.ask([*HI, *again(cell.near, told), *HI])
    return (told.thought, told.text) == ("First the parser.", "Done.")


async def schema(cell: Cell) -> bool:
    cell.fake.play(Scene((Say('{"ok": true}'),)))
    told = await cell.ask(**FORMS[cell.near])
    return json.loads(told.text) == {"ok": True} and asked_schema(cell.fake.last.json()) == ANSWER


async def error(cell: Cell) -> bool:
    cell.fake.play(Scene(trouble=Refuse(429, "slow down, because of X-17")))
    try:
        await cell.ask()
    except Exception as raised:  # noqa: BLE001  each SDK has a class of its own
        return getattr(raised, "status_code", 0) == 429 and "X-17" in str(raised)
    return False


async def cut(cell: Cell) -> bool:
    cell.fake.play(Scene((Say("word " * 20),), Cut(3)))
    try:
        await cell.ask()
    except Exception:  # noqa: BLE001  as above; what counts is that no half answer passes for one
        return True
    return False


async def cancel(cell: Cell) -> bool:
    cell.fake.play(Scene(trouble=Stall(30)))
    asking = asyncio.create_task(cell.ask())
    await cell.fake.reached()
    asking.cancel()
    left = time.monotonic()
    await asyncio.gather(asking, return_exceptions=True)
    return await cell.fake.gone() - left < 1


FEATURES: Final[dict[str, Callable[[Cell], Awaitable[bool]]]] = {
    "text": text,
    "tools": tools,
    "parallel": parallel,
    "images": images,
    "thinking": thinking,
    "JSON schema": schema,
    "error": error,
    "cut": cut,
    "cancel": cancel,
}
FORMS_OF_ANSWER: Final = (STREAMED, WHOLE)
Key = tuple[str, str, str, str]


def tables(fake: FakeModel) -> dict[str, Any]:
    """A backend and a model of each dialect, both with its name."""
    return {
        "backends": [backend(name, fake, name) for name in SDKS],
        "models": [model(name, name, "real-model", context_tokens=32768) for name in SDKS],
    }


async def judged(cell: Cell, feature: str) -> str:
    """`yes`, `degraded: what`, `refused`, or `no` where it fails."""
    cell.fake.reset()
    cell.lost = ""
    try:
        held = await FEATURES[feature](cell)
    except Exception as raised:  # noqa: BLE001  any failure is a finding of the matrix
        refused = getattr(raised, "status_code", 0) == 400 and not cell.fake.seen
        return "refused" if refused else f"no: {raised}"
    if not held:
        return "no"
    return f"degraded: {cell.lost}" if cell.lost else "yes"


def keys() -> Iterator[Key]:
    for near in SDKS:
        for far in SDKS:
            for feature in FEATURES:
                for how in FORMS_OF_ANSWER:
                    yield near, far, feature, how


async def measure() -> dict[Key, str]:
    """Every cell, one after the other; a turn that failed in one is another turn in the next."""
    found: dict[Key, str] = {}
    with FakeModel(frozenset({"real-model"})) as fake:
        async with gateway(**tables(fake)) as door:
            for near, far, feature, how in keys():
                door.well_again()
                found[near, far, feature, how] = await judged(
                    Cell(door, fake, near, far, how), feature
                )
    return found
