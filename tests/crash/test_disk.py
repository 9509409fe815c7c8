"""The place of the log fills up, turns read-only or goes away under a gateway that serves."""

import asyncio
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from tests.crash.lives import tables
from tests.crash.load import PATHS
from tests.helpers.fake_model import FakeModel
from tests.helpers.scenes import Say, Scene, Slow
from tests.helpers.serving import Serving

BLOCK = b"\0" * 4096


@pytest.fixture
def fake(loopback):
    with FakeModel() as fake:
        yield fake


@pytest.fixture
def small_disk(tmp_path, processes):
    """A file system of its own, of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or mount("-t", "tmpfs", "-o", "size=16m", "none", place)
    ):
        pytest.skip("only root on Linux may mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def gateway(tmp_path, fake, processes, request):
    """Not yet started; on the small disk if the test has one."""
    disk = (
        request.getfixturevalue("small_disk") if "small_disk" in request.fixturenames else tmp_path
    )
    gateway = Serving(tmp_path / "home", tables(fake), disk / "state")
    yield gateway
    gateway.end()


def mount(*words):
    """The exit status of `mount`."""
    return subprocess.run(["mount", *map(str, words)], check=False, capture_output=True).returncode


def fill(disk):
    """Take all the space there is; the file that holds it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(BLOCK)
        except OSError:
            return ballast


def ask(gateway, dialect, *, stream=False):
    """(status, parsed or raw body) of one request."""
    return asyncio.run(asking(gateway, dialect, stream))


async def asking(gateway, dialect, stream):
    asked = {
        "model": "any",
        "max_tokens": 100,
        "stream": stream,
        "messages": [{"role": "user", "content": "hello"}],
    }
    url = gateway.url + PATHS[dialect]
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=json.dumps(asked)) as answer,
    ):
        body = await answer.read()
    return answer.status, body if stream else json.loads(body)


def refusal(dialect, body):
    """The error's words, from where that dialect's clients look for them."""
    if dialect == "anthropic_messages":
        assert body["type"] == "error"
    else:
        assert body["error"]["code"] == "halfdoor_log_unavailable"
    return body["error"]["message"]


def refused(gateway, fake, *words):
    """Every dialect hears a 503 that says where, what and what to do, and nothing goes out."""
    before = len(fake.seen)
    for dialect in PATHS:
        status, body = ask(gateway, dialect)
        assert status == 503
        told = refusal(dialect, body)
        assert not [word for word in ("nothing was sent", "log.db", *words) if word not in told], (
            told
        )
    assert len(fake.seen) == before


def serves(gateway):
    for dialect in PATHS:
        assert ask(gateway, dialect)[0] == 200


def recorded(gateway):
    """Return once nothing is owed: an outcome waits some milliseconds for company."""
    for _ in range(500):
        with LogReader(gateway.state) as log:
            if not log.verify(LogKeys.load(gateway.state).verifier).unfinished:
                return
        time.sleep(0.01)
    raise AssertionError("an outcome never came")


def whole(gateway, *, exchanges):
    """A log without damage, with so many exchanges, each with its outcome."""
    with LogReader(gateway.state) as log:
        report = log.verify(LogKeys.load(gateway.state).verifier)
        found = log.recent(1000)
    assert not report.problems
    assert report.unfinished == 0
    assert len(found) == exchanges


def test_a_full_disk_stops_service_and_space_brings_it_back(small_disk, gateway, fake):
    gateway.start()
    serves(gateway)
    ballast = fill(small_disk)
    for _ in range(3):
        refused(gateway, fake, "the disk is full", "free some space")
    ballast.unlink()
    serves(gateway)
    gateway.end()
    whole(gateway, exchanges=4)


def test_an_answer_that_ends_on_a_full_disk_has_its_outcome_once_there_is_space(
    small_disk, gateway, fake
):
    gateway.start()
    fake.play(Scene((Say("a word " * 10),), Slow(0.02)))
    with ThreadPoolExecutor() as threads:
        answering = threads.submit(ask, gateway, "openai_chat", stream=True)
        asyncio.run(fake.reached())
        ballast = fill(small_disk)
        assert not answering.done()
        assert answering.result()[0] == 200
    refused(gateway, fake, "the disk is full")
    ballast.unlink()
    serves(gateway)
    gateway.end()
    whole(gateway, exchanges=3)


def test_a_disk_that_is_full_at_a_stop_and_a_start_costs_nothing_that_was_promised(
    small_disk, gateway, fake
):
    gateway.start()
    serves(gateway)
    recorded(gateway)
    ballast = fill(small_disk)
    gateway.end()
    gateway.spawn()
    assert "the disk is full" in gateway.failed()
    ballast.unlink()
    gateway.start()
    serves(gateway)
    gateway.end()
    whole(gateway, exchanges=4)


def test_a_read_only_place_stops_the_start_and_says_so(small_disk, gateway, fake):
    gateway.start()
    serves(gateway)
    gateway.end()
    assert mount("-o", "remount,ro", small_disk) == 0
    gateway.spawn()
    said = gateway.failed()
    assert "log.db" in said
    assert "cannot be opened for writing" in said
    assert mount("-o", "remount,rw", small_disk) == 0
    gateway.start()
    serves(gateway)
    gateway.end()
    whole(gateway, exchanges=4)


def test_a_state_directory_that_was_moved_away_stops_service_until_it_is_back(gateway, fake):
    gateway.start()
    serves(gateway)
    elsewhere = gateway.state.rename(gateway.state.with_name("elsewhere"))
    for _ in range(2):
        refused(gateway, fake, "was moved or replaced", "put it back")
    assert not gateway.state.exists()
    elsewhere.rename(gateway.state)
    serves(gateway)
    gateway.end()
    whole(gateway, exchanges=4)
