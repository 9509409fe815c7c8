"""Plays the scenes: pretended models, a gateway as `serve` makes it, and a client; all by HTTP."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct

from halfdoor.backends.control import authority, local_post
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.cli.demo.pretended import Pretended
from halfdoor.cli.demo.scenes import CONFIG, FAR, NEAR, SCENES, Scene
from halfdoor.cli.serve import Service
from halfdoor.config.load import load
from halfdoor.server.address import Address
from halfdoor.server.app import App
from halfdoor.server.listen import Server, bound
from halfdoor.wiring import DIALECTS, assemble

# Port 0: any that is free.
_ANYWHERE: Final = Address("127.0.0.1", 0)
_VENDOR_HEADERS: Final = (("content-type", "application/json"), ("anthropic-version", "2023-06-01"))


class Answer(Struct, frozen=True):
    """What the tool got. exchange: the id that the gateway gave it."""

    status: int
    exchange: str
    body: bytes


class Played(Struct, frozen=True):
    """A whole performance. url: where the gateway was. answers: one for each scene.

    heard: by model, every body that reached it; the models' own count, not halfdoor's.
    """

    url: str
    answers: tuple[Answer, ...]
    heard: Mapping[str, tuple[bytes, ...]]


def play(folder: Path) -> Played:
    """Play every scene; the log stands in `folder / "state"` afterwards, closed.

    Raises what kept the gateway from starting, KeyboardInterrupt when a signal stopped it.
    """
    models = {
        NEAR: Pretended(NEAR, DIALECTS["openai_chat"], Zone.DEVICE),
        FAR: Pretended(FAR, DIALECTS["anthropic_messages"], Zone.CLOUD),
    }
    # Files and ports first: they block, and a loop must not.
    with bound(_ANYWHERE) as near, bound(_ANYWHERE) as far, bound(_ANYWHERE) as door:
        app = _gateway(folder, near=near.getsockname()[1], far=far.getsockname()[1])
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        ready = asyncio.Event()
        server = Server(app, ready.set)
        stage = _Stage(
            server,
            partial(server.serve, [door]),
            [
                partial(asyncio.start_server, models[NEAR].serve, sock=near),
                partial(asyncio.start_server, models[FAR].serve, sock=far),
            ],
            partial(_ask_all, url, models, ready),
        )
        answers = asyncio.run(_perform(stage))
    if app.failed is not None:
        raise app.failed
    if answers is None:
        raise KeyboardInterrupt
    heard = {name: tuple(model.heard) for name, model in models.items()}
    return Played(url, tuple(answers), heard)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What runs in one loop: the models' servers, the gateway, and who asks."""

    server: Server
    serve: Callable[[], Coroutine[object, object, None]]
    opens: Sequence[Callable[[], Awaitable[object]]]
    ask: Callable[[], Coroutine[object, object, list[Answer]]]


async def _perform(stage: _Stage) -> list[Answer] | None:
    """The answers; None when the gateway was stopped before them, or never began."""
    for opens in stage.opens:
        await opens()
    serving = asyncio.create_task(_served(stage.serve))
    asking = asyncio.create_task(stage.ask())
    await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
    stopped = serving.done() or stage.server.should_exit
    asking.cancel()
    stage.server.should_exit = True
    await serving
    return None if stopped else asking.result()


async def _served(serve: Callable[[], Awaitable[None]]) -> None:
    """Until it is told to stop. Why it could not start, `App.failed` says."""
    with contextlib.suppress(SystemExit):
        await serve()


def _gateway(folder: Path, *, near: int, far: int) -> App:
    """From a configuration file, as `serve` has it."""
    file = folder / "demo.toml"
    file.touch(0o600)
    file.write_text(CONFIG.format(state=folder / "state", near=near, far=far), encoding="utf-8")
    loaded = load(file, None, {"HOME": str(folder)})
    return Service(assemble(loaded, loaded.state_dir), (), _ANYWHERE).app()


async def _ask_all(url: str, models: Mapping[str, Pretended], ready: asyncio.Event) -> list[Answer]:
    await ready.wait()
    return [await _ask(url, scene, models) for scene in SCENES]


async def _ask(url: str, scene: Scene, models: Mapping[str, Pretended]) -> Answer:
    """One request, as its tool would send it."""
    for model, turn in scene.plays:
        models[model].script.append(turn)
    session = scene.session or sha256(scene.title.encode()).hexdigest()[:12]
    headers = (("user-agent", scene.agent), ("x-session-id", session), *_VENDOR_HEADERS)
    permit = ControlPermit(authority(url), "demo")
    status, came, body = await local_post(url + scene.path, permit, scene.body, headers)
    return Answer(status, dict(came).get("x-halfdoor-id", ""), body)
