"""What happens over several requests: retries, faults, summaries, reports, sessions, restarts.

Each flow begins with something that must stay, and every request of it but the controls must stay.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tests.helpers.asks import DIALECTS, Ask, in_a_tool_result, written
from tests.helpers.scenes import Cut, ErrorEvent, Garble, Refuse, Say, Scene, Think, Use
from tests.leakhunt import files
from tests.leakhunt.bodies import plain
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import ASKED, Ground, ask_for
from tests.leakhunt.places import result_of
from tests.leakhunt.planted import judge
from tests.leakhunt.search import Finder
from tests.leakhunt.status import waits
from tests.leakhunt.tally import Tally
from tests.leakhunt.wire import Answer, Client

# What a model on the device makes of what must stay: three sentences, none of them the source.
SAID: Final = (
    "The {n} ledger carries open entries by a margin of seven and three, tide by tide.",
    "Its keeper of the {n} shift signs every change with the blue seal before dawn.",
    "Nothing in the {n} book is ever closed without the harbour master's second look.",
)


@dataclass
class Stage:
    """One flow in progress. source: plants what must stay. number: makes its texts its own."""

    ground: Ground
    dialect: str
    stream: bool
    source: Callable[[Ask], None]
    number: int

    @property
    def said(self) -> str:
        """The whole of what the device says about the source."""
        return " ".join(SAID).format(n=f"{self.number}th")

    def ask(self, *turns: tuple[str, Any], stream: bool | None = None, **members: Any) -> Ask:
        """A request without the source; with turns, these are its whole conversation."""
        stream = self.stream if stream is None else stream
        ask = ask_for(self.dialect, ASKED[self.dialect], stream=stream)
        if turns:
            ask.body["messages"] = [{"role": role, "content": text} for role, text in turns]
        ask.body |= members
        return ask

    def sourced(self, stream: bool | None = None) -> Ask:
        """A request that holds what must stay, and something of this flow's own."""
        ask = self.ask(stream=stream)
        ask.body["messages"][0]["content"] += f" (case {self.number})"
        self.source(ask)
        return ask

    async def send(self, ask: Ask, **how: Any) -> Answer:
        return await self.ground.send(ask, **how)

    async def device_tells(
        self, *parts: Any, trouble: Any = None, stream: bool | None = None
    ) -> str:
        """Ask about the source; the device answers with `said`, or with these parts."""
        self.ground.device.play(Scene(parts or (Say(self.said),), trouble))
        await self.send(self.sourced(stream))
        return self.said


Run = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Flow:
    """needs: see `status.WAITING`; file_needs: the same, where the source is a file under a rule."""

    name: str
    run: Run
    needs: str = ""
    file_needs: str = ""
    dialects: frozenset[str] = frozenset(DIALECTS)


# --- One request, asked again or beside others. ---


async def _title(stage: Stage) -> None:
    """A tool asks its small model for a title of the first message."""
    first = json.dumps(stage.sourced().body["messages"])
    asked = f"Write a title of at most six words for this conversation:\n{first}"
    await stage.send(stage.ask(("user", asked), stream=False, tools=[], max_tokens=64))


async def _count(stage: Stage) -> None:
    """Routes that are not served get nothing out either."""
    body = written(stage.sourced())
    for path in ("/v1/messages/count_tokens", "/messages/count_tokens", "/v1/messages/batches",
                 "/v1/responses", "/v1/responses/input_tokens", "/v1/completions",
                 "/v1/embeddings", "/v1/fim/completions", "/api/chat", "/api/generate",
                 "/v1/files", "/v1/moderations", "/v1/complete"):  # fmt: skip
        await stage.ground.post(path, body)


async def _retries(stage: Stage) -> None:
    ask = stage.sourced()
    for attempt in range(4):
        ask.headers["x-stainless-retry-count"] = str(attempt)
        await stage.send(ask)


def _trouble(*troubles: Any) -> Run:
    """The device fails in these ways, one a request; the client asks on, then without a stream."""

    async def run(stage: Stage) -> None:
        for trouble in troubles:
            stage.ground.device.play(*[Scene((Say(stage.said),), trouble)] * 2)
            await stage.send(stage.sourced())
            await stage.send(stage.sourced(stream=False))

    return run


async def _after_the_cloud_failed(stage: Stage) -> None:
    """The cloud has just refused and cut; what must stay comes right behind."""
    for trouble in (Refuse(429, "slow down", (("retry-after", "1"),)), Refuse(529, "overloaded"),
                    Refuse(500, "no"), Cut(), ErrorEvent("overloaded")):  # fmt: skip
        stage.ground.cloud.fake.play(Scene(trouble=trouble))
        await stage.send(stage.ask())
        stage.ground.cloud.take()  # the harmless request's own
        await stage.send(stage.sourced())


async def _abandoned(stage: Stage) -> None:
    """The client goes away in the middle, and asks again at once."""
    for leaves_after in (0, 1, 200):
        await stage.send(stage.sourced(stream=True), leaves_after=leaves_after)
        stage.ground.client.drop()
        await stage.send(stage.sourced())


async def _half_sent(stage: Stage) -> None:
    """The client goes away before its request is whole."""
    body = written(stage.sourced())
    head = f"POST {DIALECTS[stage.dialect]} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
    for size in (len(body) // 2, len(body) - 1):
        with_rest = stage.ground.client.send(head.encode() + body[:size])
        try:
            async with asyncio.timeout(0.05):
                await with_rest
        except TimeoutError:
            stage.ground.client.drop()


async def _pipelined(stage: Stage) -> None:
    """Two requests in one write; both must stay."""
    body = written(stage.sourced(stream=False))
    head = f"POST {DIALECTS[stage.dialect]} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
    await stage.ground.client.send((head.encode() + body) * 2)
    stage.ground.client.drop()


async def _at_once(stage: Stage) -> None:
    """Many at once, on connections of their own."""
    body, target = written(stage.sourced()), DIALECTS[stage.dialect]
    url = stage.ground.door.url

    async def one() -> None:
        async with Client(url) as client:
            await client.post(target, body, {"content-type": "application/json"})

    await asyncio.gather(*(one() for _ in range(8)))


async def _far_down(stage: Stage) -> None:
    """Behind 300 KB of other text, in the same string and in another message."""
    filler = "the tide table has one row for each day of the month\n" * 6000
    ask = stage.sourced()
    ask.body["messages"][0]["content"] = filler + ask.body["messages"][0]["content"]
    await stage.send(ask)


async def _again_in_a_long_session(stage: Stage) -> None:
    """Turn after turn the same prefix comes back, with the source in the middle of it."""
    ask = stage.sourced()
    for turn in range(6):
        await stage.send(ask)
        ask.body["messages"] += [
            {"role": "assistant", "content": f"Turn {turn}."},
            {"role": "user", "content": "Go on."},
        ]


# --- What the device said comes back without its source. ---

GO_ON: Final = ("user", "Thanks. Write that down in one sentence.")


def _comes_back(make: Callable[[Stage, str], Ask], **told: Any) -> Run:
    async def run(stage: Stage) -> None:
        said = await stage.device_tells(**told)
        await stage.send(make(stage, said))

    return run


def _as_the_models_turn(stage: Stage, said: str) -> Ask:
    return stage.ask(("user", "What did you find?"), ("assistant", said), GO_ON)


def _as_a_report(stage: Stage, said: str) -> Ask:
    """A sub-agent's answer is its parent's tool result."""
    ask = stage.ask()
    result_of(ask, "Agent", {"prompt": "look"}, said)
    return ask


def _as_a_report_with_a_frame(stage: Stage, said: str) -> Ask:
    return _as_a_report(stage, f"Agent finished.\n\n{said}\n\nagentId: a1 (tokens: 412)")


def _as_a_summary(stage: Stage, said: str) -> Ask:
    """Compaction: a new conversation begins with what the model wrote of the old one."""
    begun = "This session is being continued from a previous conversation. Summary:\n"
    return stage.ask(("user", f"{begun}{said}\nPlease continue."))


def _quoted_whole(stage: Stage, said: str) -> Ask:
    return stage.ask(("user", f"A colleague got this answer:\n> {said}\nIs it right?"))


def _quoted_half(stage: Stage, said: str) -> Ask:
    return stage.ask(("user", f"A colleague wrote: {said[: len(said) * 2 // 3]} Is it right?"))


def _in_a_file(stage: Stage, said: str) -> Ask:
    ask = stage.ask()
    result_of(ask, "Read", {"file_path": "/w/notes.md"}, f"# Notes\n\n{said}\n")
    return ask


def _as_thought(stage: Stage, said: str) -> Ask:
    ask = stage.ask()
    if ask.chat:
        turn: dict[str, Any] = {"role": "assistant", "content": "Yes.", "reasoning_content": said}
    else:
        thought = {"type": "thinking", "thinking": said, "signature": "c2VhbA=="}
        turn = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes."}]}
    ask.body["messages"] += [turn, {"role": "user", "content": "Go on."}]
    return ask


async def _as_a_call(stage: Stage) -> None:
    """The device calls a tool with what it knows; the call comes back with its result."""
    arguments = {"path": "notes.md", "text": stage.said}
    await stage.device_tells(Use("save_note", arguments, f"toolu_n{stage.number}"))
    ask = stage.ask()
    result_of(ask, "save_note", arguments, "saved")
    await stage.send(ask)


async def _thought(stage: Stage) -> None:
    await stage.device_tells(Think(stage.said), Say("Yes."))
    await stage.send(_as_thought(stage, stage.said))


async def _cut_and_quoted(stage: Stage) -> None:
    """The stream broke; the client goes on with what it had."""
    stage.ground.device.play(Scene((Say(stage.said),), Cut(after=12, inside=False)))
    answer = await stage.send(stage.sourced(stream=True))
    await stage.send(_as_the_models_turn(stage, _heard(answer)))


async def _left_and_quoted(stage: Stage) -> None:
    """The client left a stream in the middle and goes on with what it had."""
    stage.ground.device.play(Scene((Say(stage.said),)))
    answer = await stage.send(stage.sourced(stream=True), leaves_after=2400)
    stage.ground.client.drop()
    await asyncio.sleep(0.3)  # a hang-up is heard within a tenth of a second
    await stage.send(_as_the_models_turn(stage, _heard(answer)))


def _heard(answer: Answer) -> str:
    """The text that came in a stream, as far as it came."""
    text = ""
    for line in answer.body.decode("utf-8", "replace").splitlines():
        try:
            event = json.loads(line.removeprefix("data: "))
        except ValueError:
            continue
        if not isinstance(event, dict):
            continue
        text += (event.get("delta") or {}).get("text") or ""
        for choice in event.get("choices") or ():
            text += choice["delta"].get("content") or ""
    return text


async def _after_a_restart(stage: Stage) -> None:
    said = await stage.device_tells()
    await stage.ground.restart()
    await stage.send(_as_the_models_turn(stage, said))


async def _source_after_a_restart(stage: Stage) -> None:
    await stage.send(stage.sourced())
    await stage.ground.restart()
    await stage.send(stage.sourced())


async def _same_session(stage: Stage) -> None:
    """The session goes on without the text that must stay, under its own id."""
    session = {"x-claude-code-session-id": f"7c9e6679-0000-4000-8000-{stage.number:012}"}
    first = stage.sourced()
    first.headers |= session
    await stage.send(first)
    later = stage.ask(("user", "And now something else: what is a monad?"))
    later.headers |= session
    await stage.send(later)


FLOWS: Final = (
    Flow("title", _title, file_needs="quoted calls"),
    Flow("token count and other routes", _count),
    Flow("retries", _retries),
    Flow("the device refuses", _trouble(*(Refuse(s, "no") for s in (429, 500, 503, 529, 401, 404)))),
    Flow("the device cuts its answer", _trouble(Cut(), Cut(0), Cut(after=2, inside=False))),
    Flow("the device breaks its answer", _trouble(ErrorEvent("overloaded"), Garble())),
    Flow("after the cloud failed", _after_the_cloud_failed),
    Flow("abandoned streams", _abandoned),
    Flow("half-sent requests", _half_sent),
    Flow("pipelined requests", _pipelined),
    Flow("many at once", _at_once),
    Flow("behind 300 KB", _far_down),
    Flow("a long session", _again_in_a_long_session),
    Flow("again after a restart", _source_after_a_restart),
    Flow("answer as the model's turn", _comes_back(_as_the_models_turn)),
    Flow("answer as a sub-agent's report", _comes_back(_as_a_report)),
    Flow("answer as a call's arguments", _as_a_call),
    Flow("answer as thinking", _thought),
    Flow("answer after a restart", _after_a_restart),
    Flow("half an answer, cut", _cut_and_quoted),
    Flow("half an answer, left", _left_and_quoted, needs="derived"),
    Flow("report in a frame", _comes_back(_as_a_report_with_a_frame), needs="derived"),
    Flow("compaction", _comes_back(_as_a_summary), needs="derived"),
    Flow("second session quotes the answer", _comes_back(_quoted_whole), needs="derived"),
    Flow("second session quotes two thirds", _comes_back(_quoted_half), needs="derived"),
    Flow("answer in a file", _comes_back(_in_a_file), needs="derived"),
    Flow("same session, other text", _same_session, needs="floor"),
)  # fmt: skip


def _sources(planted: tuple[Canary, ...]) -> Iterator[tuple[str, Callable[[Ask], None]]]:
    for canary in planted[:2]:
        yield f"key {canary.name}", partial(in_a_tool_result, key=canary.text)
    yield "ruled file", _ruled_file


def _ruled_file(ask: Ask) -> None:
    files.READINGS[0].plant(ask, files.RULED)


async def hunt(ground: Ground, planted: tuple[Canary, ...], tally: Tally) -> None:
    """Every flow with every source, in both dialects and forms, with a control before each."""
    texts = {f"sentence {n}": said.partition("{n}")[2].encode() for n, said in enumerate(SAID)}
    finder = Finder({**{c.name: c.needle for c in planted}, **files.NEEDLES, **texts})
    ground.cloud.take()
    number = 0
    for flow in FLOWS:
        for kind, source in _sources(planted):
            for dialect in sorted(flow.dialects):
                for stream in (False, True):
                    number += 1
                    needs = flow.needs or (flow.file_needs if kind == "ruled file" else "")
                    if waits(needs):
                        tally.waiting[needs] += 1
                        continue
                    await plain(ground, dialect, finder, tally)
                    await flow.run(Stage(ground, dialect, stream, source, number))
                    judge(ground, f"{flow.name}, {kind}: {dialect}, {stream=}", finder, tally)
                    tally.tried["flow", flow.name, kind, dialect] += 1
    await plain(ground, "anthropic_messages", finder, tally)
