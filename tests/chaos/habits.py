"""How coding tools ask, and ask again: the part that all imitated clients share.

What differs stands in one small file for each: `claude_code.py`, `codex.py`, `sdk.py`. Their tables
are what the real tools were measured to do (docs/reference/clients.md).
"""

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

import aiohttp

# How an answer can fail beside its status.
CUT: Final = "cut"
ERROR: Final = "error event"
LOST: Final = "no answer"
# A tool's own pauses between two tries are up to half a minute; here they pass quickly.
PAUSE_S: Final = 0.02
# Nothing may take longer than this, whatever happens.
BOUND_S: Final = 20.0


class BrokenError(Exception):
    """A stream that is no whole answer. how: CUT or ERROR."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. items: as the tool sends it back. calls: ids that wait for results."""

    items: list[dict[str, Any]]
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One answer. how: a status, or CUT, ERROR, LOST. reply: when it was whole."""

    how: int | str
    headers: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """When a client asks again. tries: requests in all for one turn, by how it failed.

    waited: the same where the answer has `retry-after`. coded: where it holds this word.
    heeds: statuses at which `x-should-retry: false` ends the turn. plain: after which it asks for
    an answer that is not streamed. counts: it says in a header how often it asked.
    """

    tries: Mapping[int | str, int]
    waited: Mapping[int, int] = field(default_factory=dict)
    coded: Mapping[str, int] = field(default_factory=dict)
    heeds: frozenset[int] = frozenset()
    plain: frozenset[int | str] = frozenset()
    counts: bool = False

    def limit(self, told: Told) -> int:
        """Requests that this client makes of a turn that fails like this."""
        how, headers = told.how, told.headers
        if how in self.heeds and headers.get("x-should-retry") == "false":
            return 1
        coded = [times for word, times in self.coded.items() if word in told.words]
        if coded:
            return coded[0]
        if isinstance(how, int) and how in self.waited and "retry-after" in headers:
            return self.waited[how]
        return self.tries.get(how, 1)


class Tongue(Protocol):
    """What a client speaks."""

    name: str
    path: str
    habits: Habits

    def headers(self, session: str) -> dict[str, str]: ...

    def body(
        self, model: str, history: list[dict[str, Any]], *, stream: bool
    ) -> dict[str, Any]: ...

    def says(self, text: str) -> dict[str, Any]: ...

    def result(self, call: str, text: str) -> dict[str, Any]: ...

    def read(self, body: bytes, *, stream: bool) -> Reply:
        """Raises BrokenError."""


@dataclass(slots=True)
class Failed:
    """A turn that its client gave up. asked: requests it made of it."""

    told: Told
    asked: int


class HangError(AssertionError):
    """An answer did not end in time."""


class Client:
    """One running tool, with one connection that it keeps. sent: the bodies that it asked with."""

    def __init__(self, tongue: Tongue, url: str, session: str = "s") -> None:
        self.tongue = tongue
        self.url = url
        self.asked = 0
        self.sent: list[bytes] = []
        self._headers = {"content-type": "application/json", **tongue.headers(session)}
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()

    async def turn(self, model: str, history: list[dict[str, Any]]) -> Reply | Failed:
        """Ask for one answer as often as this tool does. Raises HangError."""
        habits, stream = self.tongue.habits, True
        for number in itertools.count(1):
            told = await self._post(model, history, number, stream=stream)
            if told.reply is not None:
                return told.reply
            if number >= habits.limit(told):
                return Failed(told, number)
            stream = stream and told.how not in habits.plain
            await asyncio.sleep(_pause_s(told, number))
        raise AssertionError

    async def _post(
        self, model: str, history: list[dict[str, Any]], number: int, *, stream: bool
    ) -> Told:
        self.asked += 1
        again = {"x-stainless-retry-count": str(number - 1)} if self.tongue.habits.counts else {}
        body = json.dumps(self.tongue.body(model, history, stream=stream)).encode()
        self.sent.append(body)
        try:
            async with asyncio.timeout(BOUND_S):
                return await self._heard(body, self._headers | again, stream=stream)
        except TimeoutError:
            raise HangError(f"{self.tongue.name} got no end of an answer in {BOUND_S} s") from None
        except (aiohttp.ClientError, OSError):
            return Told(LOST)

    async def _heard(self, body: bytes, headers: dict[str, str], *, stream: bool) -> Told:
        url = self.url + self.tongue.path
        async with self._http.post(url, data=body, headers=headers) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            try:
                whole = await answer.read()
            except (aiohttp.ClientError, OSError):
                return Told(CUT, told)
        words = whole.decode("utf-8", "replace")
        if answer.status != 200:
            return Told(answer.status, told, words)
        try:
            return Told(200, told, words, self.tongue.read(whole, stream=stream))
        except BrokenError as error:
            return Told(error.how, told, words)
        except (KeyError, IndexError):  # events that nobody can make sense of
            return Told(CUT, told, words)


def _pause_s(told: Told, number: int) -> float:
    asked = told.headers.get("retry-after", "")
    backoff: float = min(PAUSE_S * 2 ** (number - 1), 0.3)
    return max(backoff, float(asked) if asked.isdigit() else 0.0)


def events(body: bytes) -> Iterator[dict[str, Any]]:
    """The data of a stream of server-sent events. Raises BrokenError where it cannot be read."""
    for frame in body.split(b"\n\n"):
        for line in frame.split(b"\n"):
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                try:
                    yield json.loads(line[6:])
                except ValueError:
                    raise BrokenError(CUT) from None
