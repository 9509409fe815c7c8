import asyncio
import contextlib
import sqlite3

import pytest

from halfdoor.canon.commands import Remember, Source
from halfdoor.canon.labels import Label
from halfdoor.errors import LogError
from halfdoor.reading.grams import shingles
from halfdoor.store.memory import KEPT_MS
from halfdoor.store.shared import FILE, PRUNE_MS, SharedMemory

KEY = b"k" * 32
SECRET = Label("derived:secret", "answer", "derived")
PATH = Label("derived:path:payments/**", "answer", "derived")
CALL = Remember((b"call", b"seal"), "qwen", "ollama", (SECRET,))


@contextlib.asynccontextmanager
async def memories(directory, count=2, now_ms=lambda: 0):
    found = [await asyncio.to_thread(SharedMemory, directory, now_ms, KEY) for _ in range(count)]
    try:
        yield found
    finally:
        for memory in found:
            await memory.close()


async def test_what_one_process_keeps_another_recalls(tmp_path):
    async with memories(tmp_path) as (one, two):
        await one.remember(CALL)
        found = await two.recall((b"strange", b"call"))
        assert (found.labels, found.latched, found.origins) == (
            (SECRET,),
            "qwen",
            {b"call": "ollama"},
        )


async def test_a_restart_forgets_nothing(tmp_path):
    async with memories(tmp_path, 1) as (before,):
        await before.remember(CALL)
    async with memories(tmp_path, 1) as (after,):
        assert (await after.recall((b"seal",))).labels == (SECRET,)


async def test_labels_of_two_processes_add_up(tmp_path):
    async with memories(tmp_path, 3) as (one, two, three):
        await one.remember(CALL)
        await two.remember(Remember((b"call",), "sonnet", "anthropic", (PATH,)))
        await two.remember(Remember((b"call",), "sonnet", "anthropic", ()))
        assert set((await three.recall((b"call",))).labels) == {SECRET, PATH}


async def test_a_mark_is_looked_up_in_the_file_once(tmp_path):
    async with memories(tmp_path, 1) as (memory,):
        await memory.remember(CALL)
        asked, find = [], memory._find

        def counted(marks):
            asked.append(marks)
            return find(marks)

        memory._find = counted
        for _ in range(3):
            await memory.recall((b"call", b"other"))
        assert asked == [(b"other",)]


async def test_many_strange_marks_are_found_too(tmp_path):
    marks = tuple(i.to_bytes(16) for i in range(1_700))
    async with memories(tmp_path) as (one, two):
        await one.remember(Remember(marks, "m", "v", (SECRET,)))
        assert len((await two.recall(marks)).origins) == 1_700


async def test_marks_end_after_a_day(tmp_path):
    async with memories(tmp_path, 1) as (memory,):
        await memory.remember(CALL)
    async with memories(tmp_path, 1, lambda: KEPT_MS) as (later,):
        assert (await later.recall((b"call",))).labels == ()


async def test_a_look_up_that_fails_keeps_the_request_on_the_device(tmp_path):
    async with memories(tmp_path, 1) as (memory,):

        def broken(_marks):
            raise sqlite3.OperationalError("disk I/O error")

        memory._find = broken
        found = await memory.recall((b"strange",))
        assert [label.name for label in found.labels] == ["scan-failed"]


async def test_labels_that_cannot_be_read_keep_the_request_on_the_device(tmp_path):
    async with memories(tmp_path, 1) as (memory,):
        memory._find = lambda marks: [(mark, "m", "v", "no json") for mark in marks]
        found = await memory.recall((b"strange",))
        assert [label.name for label in found.labels] == ["scan-failed"]


async def test_what_the_file_does_not_take_this_process_still_knows(tmp_path):
    async with memories(tmp_path, 1) as (memory,):

        def broken(_what, _sources):
            raise sqlite3.OperationalError("database or disk is full")

        memory._keep = broken
        await memory.remember(CALL)
        assert (await memory.recall((b"call",))).labels == (SECRET,)


def test_a_damaged_file_stops_the_start_and_says_which(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough" * 40)
    with pytest.raises(LogError, match=r"memory\.db"):
        SharedMemory(tmp_path, lambda: 0, KEY)


async def test_only_the_owner_can_read_the_file(tmp_path):
    async with memories(tmp_path, 1):
        assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


async def test_a_process_that_runs_for_days_does_not_grow_its_file_for_ever(tmp_path):
    now = [0]
    async with memories(tmp_path, 1, lambda: now[0]) as (memory,):
        for day in range(10):
            now[0] = day * (KEPT_MS + PRUNE_MS)
            await memory.remember(Remember((b"mark %d" % day,), "qwen", "ollama", ()))
    assert await asyncio.to_thread(_rows, tmp_path) == 1


def _rows(directory):
    with contextlib.closing(sqlite3.connect(directory / FILE)) as file:
        return file.execute("SELECT count(*) FROM marks").fetchone()[0]


# --- texts that labels follow ---

TEXT = " ".join(f"word{n}" for n in range(20))


class Said:
    blocks = (("messages[0]", b"key"),)

    def shingles(self, at):
        return shingles([TEXT])


def followed(*labels, text=TEXT):
    source = Source(text.encode(), labels or ("derived:secret",), lambda: set(shingles([text])))
    return Remember((), "qwen", "ollama", (), (source,))


async def test_a_text_that_one_process_follows_is_known_to_the_others_and_after_a_restart(tmp_path):
    async with memories(tmp_path) as (one, two):
        assert (await two.recall((), Said())).labels == ()
        await one.remember(followed())
        assert (await two.recall((), Said())).labels == (
            Label("derived:secret", "messages[0]", "derived"),
        )
    async with memories(tmp_path, 1) as (later,):
        assert (await later.recall((), Said())).labels


async def test_labels_that_a_text_gains_reach_the_others(tmp_path):
    async with memories(tmp_path) as (one, two):
        await one.remember(followed("derived:a"))
        await two.remember(followed("derived:b"))
        assert {label.name for label in (await two.recall((), Said())).labels} == {
            "derived:a",
            "derived:b",
        }
        assert {label.name for label in (await one.recall((), Said())).labels} >= {"derived:b"}


async def test_the_file_holds_no_shingle_in_clear(tmp_path):
    async with memories(tmp_path, 1) as (one,):
        await one.remember(followed())
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not [one for one in shingles([TEXT]) if one.to_bytes(8, "little", signed=True) in raw]


async def test_sources_that_cannot_be_asked_for_keep_the_request_on_the_device(tmp_path):
    async with memories(tmp_path) as (one, two):
        await one.remember(followed())

        def broken(_after):
            raise sqlite3.OperationalError("disk I/O error")

        two._new_sources = broken
        assert [label.name for label in (await two.recall((), Said())).labels] == ["scan-failed"]


async def test_labels_that_were_changed_in_the_file_stop_the_start(tmp_path):
    async with memories(tmp_path, 1) as (one,):
        await one.remember(followed())
    await asyncio.to_thread(_run, tmp_path, "UPDATE sources SET labels = '[\"derived:none\"]'")
    with pytest.raises(LogError, match="seal"):
        await asyncio.to_thread(SharedMemory, tmp_path, lambda: 0, KEY)


async def test_sources_leave_the_file_after_a_day_and_when_they_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr("halfdoor.store.shared.MOST_SHINGLES", 30)
    now = [0]
    async with memories(tmp_path, 1, lambda: now[0]) as (one,):
        for turn in range(5):
            now[0] = turn * PRUNE_MS
            await one.remember(followed(text=TEXT.replace("word", f"turn{turn}")))
    assert await asyncio.to_thread(_run, tmp_path, "SELECT count(*) FROM sources") == [(3,)]
    async with memories(tmp_path, 1, lambda: now[0] + KEPT_MS):
        assert await asyncio.to_thread(_run, tmp_path, "SELECT count(*) FROM sources") == [(0,)]


def _run(directory, statement):
    with contextlib.closing(sqlite3.connect(directory / FILE)) as file, file:
        return file.execute(statement).fetchall()
