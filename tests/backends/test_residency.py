import asyncio

import pytest

from halfdoor.backends import residency
from halfdoor.backends.residency import Asked, Residency
from halfdoor.errors import BackendError
from tests.backends.test_engines import LMSTUDIO, LMSTUDIO_V1, OLLAMA_V1, PROPS, PS, VLLM


class Engine:
    """An engine that has these pages and no others; every look is noted."""

    def __init__(self, name="e", **pages):
        self.name = name
        self.pages = {path.replace("__", "/"): body for path, body in pages.items()}
        self.asked = []
        self.down = False

    async def look(self, path):
        self.asked.append(path)
        await asyncio.sleep(0)
        if self.down:
            raise BackendError("cannot be reached", kind="connect")
        body = self.pages.get(path)
        return (404, b"") if body is None else (200, body)


class World:
    """A clock that is set, and what is known then."""

    def __init__(self, *engines, native=False):
        self.now_s = 1000.0
        self.engines = [Asked(engine, native) for engine in engines]
        self.residency = Residency(lambda: self.now_s)

    async def after(self, seconds, *, used=False):
        self.now_s += seconds
        if used:
            self.residency.now()
        await self.residency.refresh(self.engines)
        return dict(self.residency.windows)

    def of(self, model_id):
        said = self.residency.of("e", model_id)
        assert said is not None
        return said


def ollama(**more):
    return Engine(**{"__api__ps": PS, "__v1__models": OLLAMA_V1, **more})


async def test_each_engine_is_known_by_its_own_page():
    engines = [
        Engine("vllm", __v1__models=VLLM),
        Engine("cpp", __props=PROPS),
        Engine("studio", __v1__models=LMSTUDIO_V1, __api__v0__models=LMSTUDIO),
        ollama(name="ollama"),
    ]
    assert await World(*engines).after(0) == {
        ("vllm", "Qwen/Qwen3-8B"): 40960,
        ("cpp", "*"): 8192,
        ("studio", "qwen3-4b"): 8192,
        ("ollama", "qwen3:latest"): 4096,
        ("ollama", "qwen3"): 4096,
    }
    assert engines[0].asked == ["/v1/models"]
    assert "/api/ps" not in engines[2].asked


async def test_an_engine_of_ollamas_own_protocol_is_asked_for_one_page_only():
    engine = ollama()
    await World(engine, native=True).after(0)
    assert engine.asked == ["/api/ps"]


async def test_once_known_only_its_own_page_is_asked_for():
    engine = Engine(__props=PROPS)
    world = World(engine)
    await world.after(0)
    engine.asked.clear()
    await world.after(residency.FRESH_S, used=True)
    assert engine.asked == ["/props"]


async def test_an_engine_in_use_is_asked_more_often_than_an_idle_one():
    engine = Engine(__props=PROPS)
    world = World(engine)
    await world.after(0)
    engine.asked.clear()
    await world.after(residency.FRESH_S - 1, used=True)
    assert engine.asked == []
    world = World(engine)
    world.now_s += 1
    await world.after(0)
    engine.asked.clear()
    await world.after(residency.FRESH_S)
    assert engine.asked == []
    await world.after(residency.IDLE_S)
    assert engine.asked == ["/props"]


async def test_a_model_that_was_unloaded_has_no_window():
    engine = ollama()
    world = World(engine, native=True)
    await world.after(0)
    engine.pages["/api/ps"] = b'{"models":[]}'
    assert await world.after(residency.FRESH_S, used=True) == {}
    kind, held, age_s = world.of("qwen3")
    assert (kind, held.loaded, held.window, age_s) == ("ollama", False, None, 0)


async def test_an_engine_that_is_silent_keeps_its_last_word_for_two_minutes():
    engine = ollama()
    world = World(engine, native=True)
    await world.after(0)
    engine.down = True
    assert await world.after(residency.IDLE_S)
    assert await world.after(residency.KEPT_S) == {}
    assert world.residency.of("e", "qwen3") is None


async def test_what_is_known_has_an_age():
    world = World(ollama(), native=True)
    await world.after(0)
    world.now_s += 12
    assert world.of("qwen3")[2] == 12


async def test_an_engine_that_left_the_configuration_is_forgotten():
    world = World(ollama(), native=True)
    await world.after(0)
    world.engines = []
    assert await world.after(1) == {}


async def test_another_engine_behind_the_same_port_is_found_out():
    engine = Engine(__props=PROPS)
    world = World(engine)
    await world.after(0)
    engine.pages = {"/v1/models": VLLM}
    assert await world.after(residency.IDLE_S) == {}
    assert await world.after(residency.IDLE_S) == {("e", "Qwen/Qwen3-8B"): 40960}


@pytest.mark.parametrize("down", [False, True])
async def test_a_server_that_is_no_engine_is_left_alone_for_a_minute(down):
    engine = Engine()
    engine.down = down
    world = World(engine)
    assert await world.after(0, used=True) == {}
    engine.asked.clear()
    await world.after(residency.IDLE_S - 1, used=True)
    assert engine.asked == []


async def test_it_goes_on_asking_until_it_is_cancelled(monkeypatch):
    monkeypatch.setattr(residency, "LOOK_S", 0)
    engine = ollama()
    known = Residency(lambda: 0.0)
    keeping = asyncio.create_task(known.keep(lambda: [Asked(engine, native=True)]))
    for _ in range(20):
        await asyncio.sleep(0)
    keeping.cancel()
    assert known.now()["e", "qwen3"] == 4096
