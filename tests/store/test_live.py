import asyncio
import errno
import os

import pytest

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price
from halfdoor.canon.scene import Depth, Unwell
from halfdoor.errors import LogError
from halfdoor.store import live
from halfdoor.store.live import ALIVE_MS, FOLDER, SHOWN, Live, Note, listening, look, note
from tests.record.samples import decided

QWEN = Target("qwen", "gpu", "q", Zone.DEVICE, "openai_chat", "gpu", price=Price(3, 15))


class Clock:
    now = 1_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def seen(directory, clock):
    (process,) = look(directory, clock.now)
    return process.calls


def test_a_call_is_seen_from_its_waiting_to_its_end(tmp_path, clock):
    table = Live(tmp_path, clock)
    call = table.called(decided(7, tool="aider", expected_tokens=900), QWEN)
    (waiting,) = seen(tmp_path, clock)
    assert (waiting.state, waiting.model, waiting.zone) == ("waiting", "qwen", "device")
    assert (waiting.tool, waiting.input_tokens, waiting.output) == ("aider", 900, 15)
    clock.now += 500
    call.asked()
    assert seen(tmp_path, clock)[0].since_ms == waiting.begun_ms + 500
    clock.now += 250
    call.passed(b"data: a\n\ndata: b\n\n")
    call.passed(b"data: c\n\n")
    (streams,) = seen(tmp_path, clock)
    assert (streams.state, streams.frames, streams.bytes) == ("streaming", 3, 27)
    assert streams.first_ms == clock.now
    call.over()
    assert seen(tmp_path, clock) == ()


def test_a_place_is_taken_again_and_nothing_of_the_one_before_shows(tmp_path, clock):
    table = Live(tmp_path, clock)
    first = table.called(decided(1, project="a" * 500), QWEN)
    first.passed(b"x")
    first.over()
    table.called(decided(2, project="b", rule=""), QWEN)
    (found,) = seen(tmp_path, clock)
    assert (found.project, found.rule, found.frames, found.first_ms) == ("b", "", 0, 0)


def test_long_names_are_cut_and_strange_ones_do_no_harm(tmp_path, clock):
    table = Live(tmp_path, clock)
    strange = dict.fromkeys(("tool", "project", "rule", "session_mac"), "😀" * 300)
    table.called(decided(1, **strange), QWEN)
    (found,) = seen(tmp_path, clock)
    assert found.state == "waiting"
    assert len(found.tool) <= 64


def test_more_calls_than_places_are_counted_and_not_shown(tmp_path, clock):
    table = Live(tmp_path, clock)
    calls = [table.called(decided(n), QWEN) for n in range(SHOWN + 3)]
    (process,) = look(tmp_path, clock.now)
    assert (len(process.calls), process.beyond) == (SHOWN, 3)
    for call in calls:
        call.asked()
        call.passed(b"x")
        call.over()
    (process,) = look(tmp_path, clock.now)
    assert (len(process.calls), process.beyond) == (0, 0)


def test_every_process_of_a_house_is_seen_and_each_by_its_own_file(tmp_path, clock):
    one, other = Live(tmp_path, clock), Live(tmp_path, clock)
    one.called(decided(1), QWEN)
    other.called(decided(2), QWEN)
    assert sorted(len(p.calls) for p in look(tmp_path, clock.now)) == [1, 1]
    one.close()
    assert len(look(tmp_path, clock.now)) == 1


def test_a_process_that_was_killed_is_not_believed_for_long(tmp_path, clock):
    Live(tmp_path, clock).called(decided(1), QWEN)
    clock.now += ALIVE_MS + 1
    assert look(tmp_path, clock.now) == ()


def test_what_the_dead_left_is_swept_up_and_what_is_young_stays(tmp_path, clock, monkeypatch):
    Live(tmp_path, clock)
    monkeypatch.setattr(live, "_SWEPT_MS", 0)
    (dead,) = (tmp_path / FOLDER).iterdir()
    os.utime(dead, (0, 0))
    clock.now += 10 * ALIVE_MS
    Live(tmp_path, clock)
    assert not dead.exists()
    assert len(look(tmp_path, clock.now)) == 1


@pytest.mark.parametrize("room", [0, 100_000])
def test_a_full_disk_is_told_at_the_start_and_kills_nobody_at_a_call(
    tmp_path, clock, monkeypatch, room
):
    """A page that has no place on the disk would end the process that touches it."""

    def pwrite(descriptor, data, at):
        if at >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: room - at], at)

    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(LogError, match="No space left"):
        Live(tmp_path, clock)
    assert not list((tmp_path / FOLDER).iterdir())


def test_every_byte_of_a_table_is_written_before_it_is_mapped(tmp_path, clock, monkeypatch):
    write = os.pwrite
    written: list[int] = []

    def pwrite(descriptor, data, at):
        written.append(write(descriptor, data, at))
        return written[-1]

    monkeypatch.setattr(os, "pwrite", pwrite)
    Live(tmp_path, clock)
    (file,) = (tmp_path / FOLDER).iterdir()
    assert sum(written) == file.stat().st_size


def test_breakers_and_queues_are_told_with_the_beat(tmp_path, clock):
    table = Live(tmp_path, clock)
    line = [f"hd_{number:026}" for number in range(99)]
    queues = {"gpu": (Depth(2, 2, 5), line)}
    said = note({("gpu", ""): Unwell("connect", 900)}, queues, (7, 40))
    table.beat(said)
    (process,) = look(tmp_path, clock.now)
    assert process.note == said
    lane = process.note.lanes[0]
    assert (lane.waiting, process.note.tripped[0].said) == (5, "connect")
    assert lane.line == tuple(line[:64])


def test_an_address_is_said_with_every_beat_and_the_configured_one_comes_first(tmp_path, clock):
    for address in ("127.0.0.1:1", "127.0.0.1:2"):
        table = Live(tmp_path, clock)
        table.opened(address)
        table.beat(Note(os.getpid()))
    crew = look(tmp_path, clock.now)
    assert listening(crew, "127.0.0.1:2") == "127.0.0.1:2"
    assert listening(crew, "127.0.0.1:3") in {"127.0.0.1:1", "127.0.0.1:2"}
    assert listening((), "127.0.0.1:3") == "127.0.0.1:3"


def test_too_much_to_say_leaves_the_process_seen(tmp_path, clock):
    table = Live(tmp_path, clock)
    table.opened("127.0.0.1:1")
    table.beat(note({("gpu", f"m{n}"): Unwell("429", 9) for n in range(2000)}, {}))
    (process,) = look(tmp_path, clock.now)
    assert process.note == Note(os.getpid(), listens="127.0.0.1:1")


@pytest.fixture
def table(tmp_path, clock):
    return Live(tmp_path, clock)


async def test_it_beats_until_it_is_cancelled(table, tmp_path, clock):
    clock.now += ALIVE_MS + 1
    beating = asyncio.create_task(table.keep(lambda: Note(1)))
    await asyncio.sleep(0)
    assert len(await asyncio.to_thread(look, tmp_path, clock.now)) == 1
    beating.cancel()


@pytest.mark.parametrize("data", [b"", b"x" * 9, b"\0" * 20_000, b"\xff" * 20_000])
def test_a_file_that_is_no_table_is_passed_over(tmp_path, clock, data):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "1-a.bin").write_bytes(data)
    assert look(tmp_path, clock.now) == ()


def test_without_a_state_directory_nobody_is_seen(tmp_path):
    assert look(tmp_path / "none", 0) == ()


def test_a_table_that_cannot_be_made_is_an_error_that_says_where(tmp_path, clock):
    (tmp_path / FOLDER).write_text("in the way")
    with pytest.raises(LogError, match="cannot be shown"):
        Live(tmp_path, clock)


def test_what_still_runs_when_its_process_closes_may_go_on(tmp_path, clock):
    table = Live(tmp_path, clock)
    call = table.called(decided(1), QWEN)
    table.close()
    call.passed(b"x")
    call.over()
    assert look(tmp_path, clock.now) == ()
