"""Every other endpoint: keys in each of its places, and files under a rule; streamed, translated, or neither.

Responses, Ollama's chat and generate, completions, embeddings and counts of tokens; and Chat and
Messages to backends that speak Responses or Ollama.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.asks import IDS
from tests.leakhunt import files
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import Ground, ask_for
from tests.leakhunt.places import PLACES, Place
from tests.leakhunt.planted import PLAIN, judge
from tests.leakhunt.search import Finder
from tests.leakhunt.shapes import SEAL, SHAPES, Shape, Spot, plant, spots
from tests.leakhunt.tally import Leak, Tally
from tests.leakhunt.ways import DEPTH, WAYS, Way

# Names of clouds that speak what none of `asks.DIALECTS` does.
OTHERS: Final = ("same-responses", "same-ollama")


@dataclass(frozen=True, slots=True)
class Case:
    """One key in one place of one endpoint's request."""

    canary: Canary
    shape: Shape
    spot: Spot
    way: Way
    stream: bool
    asked: str

    def __str__(self) -> str:
        form = "streamed" if self.stream else "whole"
        where = f"{self.shape.name} {form} to {self.asked}"
        return f"{self.canary.name} in {self.spot.name}, as {self.way.name}: {where}"

    def made(self, text: str) -> tuple[str, bytes, dict[str, str]]:
        """Target, body and headers, with this text in its place."""
        body = self.shape.make(self.asked, stream=self.stream)
        headers, query = plant(body, self.spot, self.way.dress(text))
        return self.shape.path + query, json.dumps(body).encode(), headers


def cases(seed: int, planted: tuple[Canary, ...], *, ways: int) -> Iterator[Case]:
    """Each place in each form to each name, in so many ways; keys and ways by the seed."""
    chance = random.Random(seed)
    for shape in SHAPES:
        for spot in spots(shape):
            for stream in (False, True) if shape.streams else (False,):
                for asked in shape.asked:
                    for _ in range(ways):
                        drawn = _drawn(chance, planted, flat=spot.flat, depth=spot.depth)
                        yield Case(drawn[0], shape, spot, drawn[1], stream, asked)


def _drawn(
    chance: random.Random, planted: tuple[Canary, ...], *, flat: bool, depth: int
) -> tuple[Canary, Way]:
    """A key and a way that are possible there."""
    while True:
        canary, way = chance.choice(planted), chance.choice(WAYS)
        if _fits(canary, flat, depth, way):
            return canary, way


def _fits(canary: Canary, flat: bool, depth: int, way: Way) -> bool:
    dressed = way.dress(canary.text)
    if way.name == "Markdown escapes" and "_" not in canary.text:
        return False
    return depth + way.depth <= DEPTH and (
        not flat or (dressed.isascii() and dressed.isprintable())
    )


async def hunt(
    ground: Ground, planted: tuple[Canary, ...], tally: Tally, *, seed: int = 1, ways: int = 1
) -> None:
    """A twin before each case, and a last one. ways: how many of them each place is tried in."""
    finder = Finder({**{canary.name: canary.needle for canary in planted}, **files.NEEDLES})
    ground.cloud.take()
    ground.cloud.fake.knows(SEAL)
    for case in cases(seed, planted, ways=ways):
        plain = case if case.spot.twin else _plain(case)
        await _twin(ground, str(case), plain.made(PLAIN), finder, tally)
        made = case.made(case.canary.text)
        await _held(ground, str(case), made, finder, tally)
        tally.tried["key", f"{case.shape.name}: {case.spot.name}", case.way.name, _kind(case)] += 1
    await _far(ground, planted, tally, finder, random.Random(seed))
    await _files(ground, tally, finder)


def _plain(case: Case) -> Case:
    """The same with its text where it changes no request."""
    return Case(case.canary, case.shape, Spot("header"), WAYS[0], case.stream, case.asked)


def _kind(case: Case) -> str:
    return f"{case.shape.name} to {case.asked}"


async def _twin(
    ground: Ground, case: str, made: tuple[str, bytes, dict[str, str]], finder: Finder, tally: Tally
) -> None:
    answer = await ground.post(*made)
    came = ground.cloud.take()
    tally.controls += 1
    tally.bytes_searched += len(came)
    if answer.zone != "cloud" or not came:
        tally.held.append(f"the twin of {case}: {answer.status} {answer.body[:200]!r}")
    tally.leaks += [Leak(f"around {case}", trace.needle) for trace in finder.find(came)]
    ground.reset()


async def _held(
    ground: Ground, case: str, made: tuple[str, bytes, dict[str, str]], finder: Finder, tally: Tally
) -> None:
    target, body, headers = made
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if not finder.find(f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + body):
        tally.unplanted.append(case)
    await ground.post(target, body, headers)
    judge(ground, case, finder, tally)


# --- Chat and Messages, to clouds that speak something else. ---


async def _far(
    ground: Ground,
    planted: tuple[Canary, ...],
    tally: Tally,
    finder: Finder,
    chance: random.Random,
) -> None:
    for number, (place, dialect, asked) in enumerate(_far_cases()):
        canary, way = _drawn(chance, planted, flat=place.flat, depth=place.depth)
        case = f"{canary.name} in {place.name}, as {way.name}: {dialect} to {asked}"
        stream = number % 2 == 0
        twin = ask_for(dialect, asked, stream=stream)
        if place.twin:
            place.plant(twin, way.dress(PLAIN))
        await _twin(ground, case, _sent(twin), finder, tally)
        ask = ask_for(dialect, asked, stream=stream)
        place.plant(ask, way.dress(canary.text))
        await _held(ground, case, _sent(ask), finder, tally)
        tally.tried["key", place.name, way.name, f"{dialect} to {asked}"] += 1


def _far_cases() -> Iterator[tuple[Place, str, str]]:
    for place in PLACES:
        for dialect in sorted(place.dialects):
            for asked in OTHERS:
                if not place.dropped:
                    yield place, dialect, asked


def _sent(ask: Any) -> tuple[str, bytes, dict[str, str]]:
    return ask.target(""), ask.content()["content"], ask.content()["headers"]


# --- Files under a rule. ---


def _as_function(name: str, arguments: dict[str, Any]) -> Any:
    def make(code: str) -> tuple[str, dict[str, Any]]:
        call = {"type": "function_call", "call_id": "call_9", "name": name}
        items: list[dict[str, Any]] = [
            {"role": "user", "content": "Look around."},
            {**call, "arguments": json.dumps(arguments)},
            {"type": "function_call_output", "call_id": "call_9", "output": code},
        ]
        return "/v1/responses", {"input": items}

    return make


def _as_patch(code: str) -> tuple[str, dict[str, Any]]:
    lines = "".join(f"+{line}\n" for line in code.splitlines())
    patch = f"*** Begin Patch\n*** Add File: FOLDER/ledger.py\n{lines}*** End Patch"
    call = {"type": "custom_tool_call", "call_id": "call_9", "name": "apply_patch", "input": patch}
    done = {"type": "custom_tool_call_output", "call_id": "call_9", "output": "Done."}
    return "/v1/responses", {"input": [{"role": "user", "content": "Write it."}, call, done]}


def _as_object(name: str, arguments: dict[str, Any], **told: str) -> Any:
    def make(code: str) -> tuple[str, dict[str, Any]]:
        call = {"function": {"name": name, "arguments": arguments}}
        turns: list[dict[str, Any]] = [
            {"role": "user", "content": "Look around."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": code, **told},
        ]
        return "/api/chat", {"messages": turns}

    return make


def _as_text(path: str, field: str) -> Any:
    return lambda code: (path, {field: f"FOLDER/ledger.py\n```python\n{code}```\nWhat is it?"})


def _as_other_file(code: str) -> tuple[str, dict[str, Any]]:
    extra = [{"filename": "FOLDER/ledger.py", "text": code}]
    return "/v1/completions", {"prompt": "def f(", "suffix": "\n", "input_extra": extra}


def _as_gap(code: str) -> tuple[str, dict[str, Any]]:
    return "/api/generate", {"prompt": f"# Path: FOLDER/ledger.py\n{code}", "suffix": "\n"}


# name -> what makes a request that reads `FOLDER/ledger.py`.
READINGS: Final[dict[str, Any]] = {
    "function call": _as_function("read_file", {"path": "FOLDER/ledger.py"}),
    "shell call": _as_function("shell", {"command": ["bash", "-lc", "cat FOLDER/ledger.py"]}),
    "custom patch": _as_patch,
    "response's input": _as_text("/v1/responses", "input"),
    "call with an object": _as_object("read_file", {"path": "FOLDER/ledger.py"}, tool_name="read_file"),
    "shell with an object": _as_object("bash", {"command": "cat FOLDER/ledger.py"}),
    "generate's prompt": _as_text("/api/generate", "prompt"),
    "completion's prompt": _as_text("/v1/completions", "prompt"),
    "completion's other file": _as_other_file,
    "file with a gap": _as_gap,
    "text to embed": _as_text("/v1/embeddings", "input"),
    "text to embed by Ollama": _as_text("/api/embed", "input"),
    "text to embed the old way": _as_text("/api/embeddings", "prompt"),
    "count of a response": lambda code: (
        "/v1/responses/input_tokens",
        _as_function("read_file", {"path": "FOLDER/ledger.py"})(code)[1],
    ),
}  # fmt: skip
_NAMES: Final = {
    "/v1/completions": ("fill-in", "fill-infill", "fill-mistral", "fill-ollama"),
    "/v1/embeddings": ("embedder", "measurer"),
    "/api/embed": ("embedder", "measurer"),
    "/api/embeddings": ("embedder", "measurer"),
    "/v1/responses/input_tokens": ("same-responses",),
}


async def _files(ground: Ground, tally: Tally, finder: Finder) -> None:
    for name, make in READINGS.items():
        path, body = make("")
        wanted = _NAMES["/v1/completions"] if "suffix" in body else _NAMES.get(path)
        for asked in wanted or (*OTHERS, "gpt-5", "claude-opus"):
            case = f"{name} to {asked}"
            await _twin(ground, case, _reading(make, asked, files.FREE), finder, tally)
            await _held(ground, case, _reading(make, asked, files.RULED), finder, tally)
            tally.tried["file", name, "as a tool has it", f"{path} to {asked}"] += 1


def _reading(make: Any, asked: str, folder: str) -> tuple[str, bytes, dict[str, str]]:
    path, body = make(files.code(folder))
    told = json.dumps({"model": asked, **body}).replace("FOLDER", folder).encode()
    return path, told, {"x-session-id": f"r{next(IDS)}", "content-type": "application/json"}
