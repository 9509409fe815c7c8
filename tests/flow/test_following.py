"""Labels follow text: the whole line over a real memory, in other sessions, processes and hours."""

import asyncio
import contextlib
import dataclasses
import json
import random

import pytest

from halfdoor.canon.commands import Append, Begin, Call, Remember
from halfdoor.canon.decision import Permit
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.detect.survey import Surveyor
from halfdoor.flow.exchange import exchange
from halfdoor.store.memory import KEPT_MS
from halfdoor.store.shared import SharedMemory
from halfdoor.wiring import path_detector
from tests.helpers.house import AWS_KEY, CLOUD, DEFAULTS, LOCAL, detectors, house, request
from tests.helpers.playbook import answered

KEY = b"a key of the state directory 32b"
RULES = (*DEFAULTS[:4], DEFAULTS[4].__class__("no-payments", "path:payments/**", Zone.DEVICE))
HOUSE = house((CLOUD, LOCAL), RULES)

ANSWER = """The settlement run first loads every open invoice of the merchant and groups them by
currency. For each group it computes the reserve from the chargeback history of ninety days, rounds
it up to the next cent, and withholds it from the payout. Merchants in probation get a reserve that
is twice as high, and nobody may lower it by hand. When the ledger does not balance at the end, the
whole batch is rolled back and an incident is opened for the treasury team."""
SENTENCE = (
    "Merchants in probation get a reserve that is twice as high, and nobody may lower it by hand."
)
LEDGER = """def settle(invoices, reserve_rate, probation):
    total = sum(invoice.amount_cents for invoice in invoices if invoice.is_open)
    reserve = math.ceil(total * reserve_rate * (2 if probation else 1))
    if total - reserve < 0:
        raise LedgerImbalance(total, reserve, batch=current_batch())
    for invoice in invoices:
        invoice.mark_settled(at=clock.now(), by="settlement-run")
    return Payout(total - reserve, withheld=reserve)
"""
READ = [
    {"role": "user", "content": "How does the settlement work? Read the file and explain it to me please."},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "payments/settle.py"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": f"payments/settle.py:1: the file\n{LEDGER}"}]},
]  # fmt: skip


class Desk:
    """One halfdoor as its clients see it: ask, and learn in which zones the answer may be sought."""

    def __init__(self, memory):
        self.memory = memory
        self.placed = {}
        self.house = HOUSE

    async def ask(
        self, body, *, answer="As you wish.", dialect="anthropic_messages", root="", **placed
    ):
        """placed: what the file system says of the request's paths, see `Scene`."""
        self.placed = placed
        line = exchange(_request(body, dialect), Actor(root=root), self.house)
        reply, zones = None, None
        with contextlib.suppress(StopIteration):
            while True:
                command = line.send(reply)
                reply = await self._done(command, answer)
                if isinstance(command, Append) and isinstance(command.entry, Decided):
                    zones = {planned.zone for planned in command.entry.plan}
        return zones

    async def _done(self, command, answer):
        match command:
            case Begin():
                known = await self.memory.recall(command.marks, command.texts)
                known = {"remembered": known.labels, "latched": known.latched}
                return Scene("hd_1", 0, **known, **self.placed)
            case Append(entry=Decided() as entry):
                return Permit(entry.id, tuple((p.model, Zone.CLOUD) for p in entry.plan), 1, b"s")
            case Call():
                over = answered(texts=(answer,))
                if command.keep:
                    await self.memory.remember(command.keep(over.learnt))
                return over
            case Remember():
                await self.memory.remember(command)
        return None

    async def free(self, body, **how):
        """May this go to the cloud?"""
        return "cloud" in await self.ask(body, **how)


def _request(body, dialect):
    fields = body if isinstance(body, dict) else {"messages": body}
    return request(dialect=dialect, **fields)


def said(text):
    return [{"role": "user", "content": text}]


@contextlib.asynccontextmanager
async def desks(folder, count=1, now_ms=lambda: 0):
    memories = [await asyncio.to_thread(SharedMemory, folder, now_ms, KEY) for _ in range(count)]
    try:
        yield [Desk(memory) for memory in memories]
    finally:
        for memory in memories:
            await memory.close()


def lightly_edited(text, share=0.1):
    chance = random.Random(7)
    return " ".join("really" if chance.random() < share else word for word in text.split())


HALF = ANSWER[len(ANSWER) // 2 :]
BACK = {
    "whole": said(f"Translate this into German: {ANSWER}"),
    "half": said(f"A colleague wrote: {HALF} Is that right?"),
    "one sentence": said(f"Is this true? {SENTENCE}"),
    "lightly edited": said(lightly_edited(ANSWER)),
    "wrapped and quoted": said("> " + ANSWER.replace("\n", " ").replace(". ", ".\n> ")),
    "a system prompt": {"messages": said("Go on."), "system": f"Summary so far: {HALF}"},
    "a compaction": [*said(f"This session continues one that ran out of room. Summary:\n{ANSWER}\nContinue."), {"role": "assistant", "content": "Ready."}, *said("Now write the tests.")],
    "a title": said(f"Write a title of five words for this conversation: {SENTENCE}"),
    "a sub-agent's report": [
        *said("Look into it."),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t9", "name": "Task", "input": {"prompt": "look"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t9", "content": [{"type": "text", "text": HALF}]}]},
    ],
    "a tool's description": {"messages": said("Go on."), "tools": [{"name": "note", "description": HALF, "input_schema": {"type": "object"}}]},
    "JSON in a string": said(json.dumps({"notes": [HALF]})),
}  # fmt: skip


@pytest.mark.parametrize("how", BACK)
async def test_the_answer_to_labelled_text_stays_when_it_comes_back_as(how, tmp_path):
    async with desks(tmp_path) as (desk,):
        assert await desk.free(BACK[how])
    async with desks(tmp_path) as (desk,):
        assert not await desk.free(said(f"The key is {AWS_KEY}. How does it work?"), answer=ANSWER)
        assert not await desk.free(BACK[how])


async def test_another_tool_that_speaks_another_dialect_is_held_too(tmp_path):
    async with desks(tmp_path) as (desk,):
        await desk.ask(READ, answer=ANSWER)
        assert not await desk.free(said(HALF), dialect="openai_chat")


@pytest.mark.parametrize("part", [slice(0, 4), slice(3, None), slice(None)])
async def test_code_of_a_labelled_file_stays_without_its_path(part, tmp_path):
    snippet = "\n".join(LEDGER.splitlines()[part])
    async with desks(tmp_path) as (desk,):
        assert await desk.free(said(f"What does this do?\n```python\n{snippet}\n```"))
        assert not await desk.free(READ, answer=ANSWER)
        assert not await desk.free(said(f"What does this do?\n```python\n{snippet}\n```"))


async def test_a_files_lines_are_known_without_the_numbers_a_tool_wrote_before_them(tmp_path):
    numbered = "\n".join(f"{n:6}\t{line}" for n, line in enumerate(LEDGER.splitlines(), 1))
    async with desks(tmp_path) as (desk,):
        await desk.ask(
            json.loads(
                json.dumps(READ).replace(json.dumps(LEDGER)[1:-1], json.dumps(numbered)[1:-1])
            )
        )
        assert not await desk.free(said(LEDGER))


async def test_a_restart_in_between_forgets_nothing(tmp_path):
    async with desks(tmp_path) as (desk,):
        await desk.ask(READ, answer=ANSWER)
    async with desks(tmp_path) as (desk,):
        assert not await desk.free(said(HALF))
        assert not await desk.free(said(LEDGER))


async def test_another_worker_knows_it_at_once(tmp_path):
    async with desks(tmp_path, 2) as (one, two):
        assert await two.free(said(HALF))
        await one.ask(READ, answer=ANSWER)
        assert not await two.free(said(HALF))


async def test_it_is_free_again_when_its_time_is_over(tmp_path):
    now = [0]
    async with desks(tmp_path, 1, lambda: now[0]) as (desk,):
        await desk.ask(READ, answer=ANSWER)
        now[0] = KEPT_MS
        assert await desk.free(said(HALF))


async def test_text_that_comes_back_whole_is_remembered_for_another_day_and_by_all(tmp_path):
    now = [0]
    async with desks(tmp_path, 2, lambda: now[0]) as (one, two):
        await one.ask(READ, answer=ANSWER)
        now[0] = KEPT_MS - 1
        assert not await one.free(said(ANSWER))
        now[0] = KEPT_MS + 1
        assert not await two.free(said(HALF))


async def test_the_answer_to_derived_text_is_followed_and_derived_never_nests(tmp_path):
    second = (
        ANSWER.replace("merchant", "seller").replace("reserve", "buffer")[::-1].replace("a", "o ")
    )
    async with desks(tmp_path) as (desk,):
        await desk.ask(READ, answer=ANSWER)
        assert not await desk.free(said(HALF), answer=second)
        known = await desk.memory.recall(
            (), HOUSE.surveyor.survey(_request(said(second), "anthropic_messages")).texts
        )
        assert {label.name for label in known.labels} == {"derived:path:payments/**"}


ROOTED = DEFAULTS[4].__class__("no-payments", "path:/payments/**", Zone.DEVICE)
PINNED = DEFAULTS[4].__class__("no-core", "repo:core", Zone.DEVICE)
CALLED = json.loads(json.dumps(READ).replace("payments/settle.py:1: the file", "the file"))
OTHER = [
    *said("Look at the notes."),
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_0", "name": "Read", "input": {"file_path": "notes.md"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": SENTENCE}]},
]  # fmt: skip


def ruled(rule):
    """A house whose detectors know this rule's files, and no others."""
    rules = (*DEFAULTS[:4], rule)
    base, paths = house((CLOUD, LOCAL), rules), path_detector(rules)
    surveyor = Surveyor((detectors()[0], paths), base.prints)
    return dataclasses.replace(base, paths=paths, surveyor=surveyor)


async def test_a_file_that_a_glob_from_the_root_holds_is_followed_and_its_neighbour_is_not(
    tmp_path,
):
    async with desks(tmp_path) as (desk,):
        desk.house = ruled(ROOTED)
        assert not await desk.free([*OTHER, *CALLED], root="/w")
        assert not await desk.free(said(LEDGER))
        assert await desk.free(said(SENTENCE))


async def test_a_file_behind_a_link_is_followed(tmp_path):
    linked = json.loads(json.dumps(CALLED).replace("payments/settle.py", "docs/settle.py"))
    async with desks(tmp_path) as (desk,):
        real = ("/w/payments/settle.py",)
        assert not await desk.free(linked, root="/w", real=real)
        assert not await desk.free(said(LEDGER))


async def test_what_tools_read_in_a_ruled_repository_is_followed(tmp_path):
    async with desks(tmp_path) as (desk,):
        desk.house = ruled(PINNED)
        assert not await desk.free(CALLED, root="/w", repositories=("core",))
        assert not await desk.free(said(LEDGER))


async def test_what_stood_before_the_first_labelled_turn_is_followed_where_a_link_came_first(
    tmp_path,
):
    early = [*said(f"Of the linked file: {ANSWER}"), {"role": "assistant", "content": "I see."}]
    async with desks(tmp_path) as (desk,):
        await desk.ask([*early, *READ], root="/w", real=("/w/payments/a.py",), answer=ANSWER)
        assert not await desk.free(said(HALF))


# --- what is not tainted ---

SYSTEM = "You are a careful engineer. Always answer in short sentences, and never run a command that deletes files without asking first."


async def test_a_harmless_question_that_a_stranger_asks_too_is_free(tmp_path):
    question = "Please explain how the rounding of the reserve works, step by step, and name the function that does it."
    read = [{"role": "user", "content": question}, *READ[1:]]
    async with desks(tmp_path) as (desk,):
        assert not await desk.free(read, answer=f"You asked: {question} It is done in settle.")
        assert await desk.free(said(question))


async def test_instructions_and_tools_that_all_sessions_share_are_free(tmp_path):
    tools = [
        {
            "name": "Read",
            "description": SYSTEM.replace("You are", "Read is"),
            "input_schema": {"type": "object"},
        }
    ]
    async with desks(tmp_path) as (desk,):
        await desk.ask(
            {"messages": READ, "system": SYSTEM, "tools": tools}, answer=f"{SYSTEM} So I did."
        )
        assert await desk.free(
            {"messages": said("Write a haiku."), "system": SYSTEM, "tools": tools}
        )


async def test_what_unlabelled_sessions_say_does_not_make_a_later_source(tmp_path):
    licence = "Licensed under the terms that everybody knows; you may not use this file except in compliance with them."
    async with desks(tmp_path) as (desk,):
        await desk.ask(said(f"The key is {AWS_KEY}."), answer=ANSWER)
        assert await desk.free(said(licence))
        await desk.ask(json.loads(json.dumps(READ).replace("the file", licence)), answer=licence)
        assert await desk.free(said(f"May I do this? {licence}"))
        assert not await desk.free(said(LEDGER))


async def test_a_tools_reminder_inside_a_labelled_result_is_free_elsewhere(tmp_path):
    reminder = f"<system-reminder>{SYSTEM}</system-reminder>"
    async with desks(tmp_path) as (desk,):
        await desk.ask(json.loads(json.dumps(READ).replace("the file", reminder)), answer=ANSWER)
        assert await desk.free(said(f"Write a haiku. {reminder}"))


async def test_what_was_refused_leaves_nothing(tmp_path):
    alone = house((CLOUD,), RULES)
    async with desks(tmp_path) as (desk,):
        line = exchange(_request(READ, "anthropic_messages"), Actor(), alone)
        reply, asked = None, []
        with contextlib.suppress(StopIteration):
            while True:
                asked.append(line.send(reply))
                reply = await desk._done(asked[-1], ANSWER)
        assert not [command for command in asked if isinstance(command, Remember)]
        assert await desk.free(said(LEDGER))
