"""Floors in memory and in the file: one contract, several processes, a restart."""

import asyncio
import contextlib
import sqlite3

import pytest

from halfdoor.canon.commands import Floor
from halfdoor.canon.labels import Label
from halfdoor.errors import LogError
from halfdoor.store.floors import FILE, LASTS_MS, Floors, SharedFloors, read

HELD = Floor((b"a" * 16,), ("derived:secret",), "ann", "claude", "shop")
MORE = Floor((b"a" * 16,), ("derived:path:payments/**",), "ann", "claude", "shop")


@contextlib.asynccontextmanager
async def shared(directory, count=1, now_ms=lambda: 0):
    found = [await asyncio.to_thread(SharedFloors, directory, now_ms) for _ in range(count)]
    try:
        yield found
    finally:
        for floors in found:
            await floors.close()


@pytest.fixture(params=["disk", "memory"])
async def floors(request, tmp_path):
    if request.param == "memory":
        yield Floors(lambda: 0)
        return
    async with shared(tmp_path) as (found,):
        yield found


async def names(floors, mark=b"a" * 16):
    return {label.name for label in (await floors.under((b"?" * 16, mark))).labels}


async def test_what_is_held_is_found_and_labels_add_up(floors):
    assert await names(floors) == set()
    await floors.hold(HELD)
    await floors.hold(MORE)
    await floors.hold(HELD)
    assert await names(floors) == {"derived:secret", "derived:path:payments/**"}
    (standing,) = await floors.standing()
    assert (standing.session, standing.tool, standing.project) == ("616161616161", "claude", "shop")
    under = await floors.under(HELD.marks)
    assert (under.session, under.labels[0].place) == ("616161616161", "session")


async def test_a_lift_takes_all_marks_of_a_session(floors):
    await floors.hold(Floor((b"a" * 16, b"b" * 16), ("derived:secret",)))
    await floors.hold(Floor((b"c" * 16,), ("derived:secret",)))
    await floors.lift("616161616161")
    assert await names(floors) == await names(floors, b"b" * 16) == set()
    assert await names(floors, b"c" * 16) == {"derived:secret"}


async def test_a_floor_without_labels_only_lasts_on(floors):
    await floors.hold(Floor((b"a" * 16,), ()))
    assert await floors.standing() == ()


async def test_another_process_is_under_it_at_once_and_follows_a_lift(tmp_path):
    async with shared(tmp_path, 3) as (one, two, three):
        assert await names(two) == set()
        await one.hold(HELD)
        assert await names(two) == await names(three) == {"derived:secret"}
        await three.hold(MORE)
        assert len(await names(two)) == len(await names(one)) == 2
        await two.lift("616161616161")
        assert await names(one) == await names(three) == set()


async def test_a_restart_keeps_it_until_it_ends(tmp_path):
    async with shared(tmp_path) as (before,):
        await before.hold(HELD)
    async with shared(tmp_path, now_ms=lambda: LASTS_MS - 1) as (after,):
        assert await names(after) == {"derived:secret"}
    assert [each.session for each in await asyncio.to_thread(read, tmp_path, 1)] == ["616161616161"]
    async with shared(tmp_path, now_ms=lambda: LASTS_MS) as (late,):
        assert await names(late) == set()


async def test_use_moves_its_end_on_for_all(tmp_path):
    now = [0]
    async with shared(tmp_path, 2, lambda: now[0]) as (one, two):
        await one.hold(HELD)
        now[0] = LASTS_MS - 1
        await one.hold(Floor(HELD.marks, ()))
        now[0] = LASTS_MS + 1
        assert await names(two) == {"derived:secret"}


async def test_what_is_known_is_not_looked_up_again(tmp_path):
    async with shared(tmp_path) as (floors,):
        await floors.hold(HELD)
        await names(floors)
        await floors._do(floors._file.close)
        assert await names(floors) == {"derived:secret"}
        floors._file = await floors._do(sqlite3.connect, ":memory:")


async def test_a_look_up_that_fails_keeps_the_request_here(tmp_path):
    async with shared(tmp_path) as (floors,):
        await floors._do(floors._file.execute, "DROP TABLE floors")
        under = await floors.under((b"n" * 16,))
        assert under.labels == (Label("scan-failed", "session", "sessions"),)


async def test_what_the_file_does_not_take_this_process_still_knows(tmp_path):
    async with shared(tmp_path) as (floors,):
        await names(floors)
        await floors._do(floors._file.execute, "ALTER TABLE floors RENAME TO gone")
        await floors.hold(HELD)
        await floors._do(floors._file.execute, "ALTER TABLE gone RENAME TO floors")
        assert await names(floors) == {"derived:secret"}
        with pytest.raises(LogError):
            await floors._do(floors._file.execute, "DROP TABLE floors")
            await floors.lift("616161616161")


async def test_a_floor_that_is_known_holds_while_another_request_hears_the_bell(tmp_path):
    async with shared(tmp_path, 2) as (here, there):
        await here.hold(HELD)
        assert await names(here) == {"derived:secret"}
        find = here._find

        def find_slowly(marks):
            # In between, another session's floor is held elsewhere, and a request hears of it.
            asyncio.run_coroutine_threadsafe(_meanwhile(here, there), loop).result()
            here._find = find
            return find(marks)

        loop = asyncio.get_running_loop()
        here._find = find_slowly
        under = await here.under((*HELD.marks, b"new" + b"." * 13))
    assert [label.name for label in under.labels] == ["derived:secret"]


async def _meanwhile(here, there):
    await there.hold(Floor((b"o" * 16,), ("derived:secret",)))
    await here.under(())


async def test_a_floor_that_the_file_did_not_take_is_told_with_the_next_answer(tmp_path):
    now = [0]
    async with shared(tmp_path, 2, lambda: now[0]) as (here, there):
        keep = here._keep

        def full(*_):
            raise sqlite3.OperationalError("database or disk is full")

        here._keep = full
        await here.hold(HELD)
        here._keep = keep
        now[0] = LASTS_MS - 1
        assert await names(here) == {"derived:secret"}
        await here.hold(Floor(HELD.marks, ()))
        now[0] = LASTS_MS + 1
        assert await names(there) == await names(here) == {"derived:secret"}


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(LogError, match="floors cannot be read"):
        SharedFloors(tmp_path, lambda: 0)
    with pytest.raises(LogError, match="floors cannot be read"):
        read(tmp_path, 0)
    assert read(tmp_path / "nowhere", 0) == ()
