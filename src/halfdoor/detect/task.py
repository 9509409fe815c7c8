"""Whose request it is and what it asks for: hints first, then the last thing a person asked.

It informs the choice among permitted models and nothing else: no rule reads it. Of a conversation
only its end is read, block by block backwards to the last real ask, and what was read is remembered
by the blocks' keyed prints, without text: turn N+1 costs its new text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct, structs

from halfdoor.canon.asks import Agent, Ask, Task
from halfdoor.canon.request import Block, Kind, Request
from halfdoor.detect import injected
from halfdoor.detect.kinds import task_of
from halfdoor.reading import languages

# Blocks that are remembered, about 200 bytes each.
_KEPT: Final = 8192
# How far behind the ask files are looked for that it may speak of, when it names none.
_NEARBY: Final = 12
# Of a system text only its head says what kind of request it belongs to.
_HEAD_BYTES: Final = 700

_TURNS: Final = ("messages[", "input[", "prompt", "input")
_SYSTEM: Final = ("system", "instructions", "messages[0]", "input[0]")
_TEXTS: Final = frozenset({"text", "input_text", ""})

_OF_CLASS: Final = {agent.value: agent for agent in Agent}
# Codex says which of its own helpers asks; what is not here is a sub-agent.
_OF_HELPER: Final = {"compact": Agent.COMPACTION, "memory_consolidation": Agent.AUXILIARY}
_CHILD: Final = ("x-claude-code-agent-id", "x-codex-parent-thread-id", "x-parent-session-id")
_HINTS: Final = frozenset(
    {
        "x-claude-code-request-class",
        "x-claude-code-compaction",
        "x-openai-subagent",
        "x-openai-memgen-request",
        *_CHILD,
    }
)
# What a system text's head tells where no header does.
_OF_SYSTEM: Final = (
    (b"cc_is_subagent=true", Agent.SUBAGENT, None),
    (b"You are a title generator", Agent.AUXILIARY, Task.TITLE),
    (b"tasked with summarizing conversations", Agent.COMPACTION, Task.SUMMARY),
    (b"Git commit messages", Agent.AUXILIARY, Task.COMMIT),
    (b"ummarize this partial conversation", Agent.COMPACTION, Task.SUMMARY),
)
# What an ask's own first words tell, when a tool wrote them.
_OF_ASK: Final = (
    ("Your task is to create a detailed summary of", Agent.COMPACTION, Task.SUMMARY),
    ("You are performing a CONTEXT CHECKPOINT COMPACTION", Agent.COMPACTION, Task.SUMMARY),
    ("Provide a detailed prompt for continuing our conversation", Agent.COMPACTION, Task.SUMMARY),
    ("Given the following... please reply with a title", Agent.AUXILIARY, Task.TITLE),
    ("Please write a 5-10 word title", Agent.AUXILIARY, Task.TITLE),
)  # fmt: skip


_TITLE: Final = re.compile(rb'"properties"\s*:\s*\{\s*"title"\s*:\s*\{[^{}]*\}\s*\}')


class _Part(Struct):
    type: str = ""
    text: str | None = None


class _Turn(Struct):
    role: str = ""
    type: str = ""
    content: str | list[_Part] | None = None


class _Member(Struct):
    prompt: str | None = None
    input: str | None = None


class Said(Struct, frozen=True):
    """What is remembered of one block: no text.

    asked: a person's words stand here. task: None when they only say to go on. agent: when the
        words are a tool's own. languages, globs: of the ask, or of files that a call or tool names.
    """

    asked: bool = False
    task: Task | None = None
    agent: Agent | None = None
    languages: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()


_turn: Final = msgspec.json.Decoder(_Turn)
_member: Final = msgspec.json.Decoder(_Member)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOTHING: Final = Said()


class Globs(Protocol):
    """Path globs, and which of them some paths match."""

    def matching(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Those that any of the paths matches."""


class AskReader:
    """Reads what requests ask for. Belongs to one thread at a time.

    globs: what the routes say of paths. kept: how many blocks are remembered; the oldest go first.
    """

    def __init__(self, globs: Globs | None = None, kept: int = _KEPT) -> None:
        self._globs = globs
        self._kept = kept
        self._said: dict[bytes, Said] = {}

    def read(self, request: Request, keys: Sequence[tuple[str, bytes]] = ()) -> Ask:
        """What a request asks for; never raises, and what cannot be read asks for `other`.

        keys: (place, keyed print) of its blocks, in order; without them nothing is remembered.
        """
        headers = dict(request.headers)
        hinted = _agent(headers)
        if request.kind is Kind.COMPLETION:
            return Ask(hinted or Agent.MAIN, Task.COMPLETE)
        agent, task = _of_shape(request)
        said, place = self._last(request, keys)
        agent = hinted or said.agent or agent or Agent.MAIN
        task = _told_by(agent, headers) or task or said.task or Task.OTHER
        return Ask(agent, task, said.languages, said.globs, place)

    def _last(self, request: Request, keys: Sequence[tuple[str, bytes]]) -> tuple[Said, str]:
        """The last real ask with what it is about, and where the newest ask stands.

        One that only says to go on is answered by the one before; one that names no file is about
        those that were worked on just before.
        """
        real, place, near, behind = _NOTHING, "", _NOTHING, 0
        blocks, known = request.blocks, self._said.get
        for at in range(len(blocks) - 1, -1, -1):
            block = blocks[at]
            if not block.place.startswith(_TURNS):
                continue
            key = keys[at][1] if keys else b""
            said = known(key) or self._look(request, block, key)
            if said.asked and real.task is None:
                real, place = said, place or block.place
            elif place and not said.asked and near is _NOTHING and _about(said):
                near = said
            behind += bool(place)
            if real.task is not None and (_about(real) or _about(near) or behind > _NEARBY):
                break
        if _about(real) or not _about(near):
            return real, place
        return structs.replace(real, languages=near.languages, globs=near.globs), place

    def _look(self, request: Request, block: Block, key: bytes) -> Said:
        raw = request.body[block.start : block.end]
        said = self._read_member(raw) if block.member else self._read_turn(raw)
        if key:
            self._said[key] = said
            if len(self._said) > self._kept:
                del self._said[next(iter(self._said))]
        return said

    def _read_turn(self, raw: bytes) -> Said:
        try:
            turn = _turn.decode(raw)
        except _UNREADABLE:
            return _NOTHING
        if turn.role != "user":
            calls = turn.role == "assistant" or turn.type.endswith("_call")
            return self._worked_on(injected.paths_of_calls(raw)) if calls else _NOTHING
        content = turn.content or ""
        if isinstance(content, str):
            return self._read_texts((content,))
        return self._read_texts(part.text or "" for part in content if part.type in _TEXTS)

    def _read_member(self, raw: bytes) -> Said:
        try:
            told = _member.decode(b"{" + raw + b"}")
        except _UNREADABLE:
            return _NOTHING
        return self._read_texts((told.prompt or told.input or "",))

    def _read_texts(self, texts: Iterable[str]) -> Said:
        shown = list(texts)
        ask = "\n".join(filter(None, map(injected.asked, shown)))
        if not ask:
            files = "".join(map(injected.files, shown))
            return self._worked_on(tuple(languages.paths_in(languages.words(files))))
        for beginning, agent, task in _OF_ASK:
            if ask.startswith(beginning):
                return Said(True, task, agent)
        words = languages.words(ask)
        paths = tuple(languages.paths_in(words))
        tongues = languages.spoken_of(ask, words, paths)
        return Said(True, task_of(ask), None, tongues, self._matching(paths))

    def _worked_on(self, paths: tuple[str, ...]) -> Said:
        return Said(languages=languages.of_paths(paths), globs=self._matching(paths))

    def _matching(self, paths: Iterable[str]) -> tuple[str, ...]:
        return self._globs.matching(paths) if self._globs else ()


def _about(said: Said) -> bool:
    return bool(said.languages or said.globs)


def _agent(headers: Mapping[str, str]) -> Agent | None:
    """Whose request its own headers say it is."""
    if headers.keys().isdisjoint(_HINTS):
        return None
    told = _OF_CLASS.get(headers.get("x-claude-code-request-class", ""))
    if told is not None:
        return told
    if headers.get("x-claude-code-compaction"):
        return Agent.COMPACTION
    if helper := headers.get("x-openai-subagent"):
        return _OF_HELPER.get(helper, Agent.SUBAGENT)
    if headers.get("x-openai-memgen-request"):
        return Agent.AUXILIARY
    return Agent.SUBAGENT if any(headers.get(name) for name in _CHILD) else None


def _told_by(agent: Agent, headers: Mapping[str, str]) -> Task | None:
    """The task that follows from who asks, whatever the words are."""
    if agent is Agent.COMPACTION:
        return Task.SUMMARY
    if headers.get("x-openai-subagent") == "review":
        return Task.REVIEW
    return None


def _wants_title(request: Request) -> bool:
    """Claude Code asks for a title as an object with that one property, and offers no tools."""
    wanted = request.members.get("output_config")
    return wanted is not None and _TITLE.search(request.body, *wanted) is not None


def _of_shape(request: Request) -> tuple[Agent | None, Task | None]:
    """What the answer's wanted shape tells, and the heads of the first system texts."""
    if _wants_title(request):
        return Agent.AUXILIARY, Task.TITLE
    for block in request.blocks:
        if not block.place.startswith(_SYSTEM):
            continue
        head = request.body[block.start : min(block.end, block.start + _HEAD_BYTES)]
        for words, agent, task in _OF_SYSTEM:
            if words in head:
                return agent, task
    return None, None
