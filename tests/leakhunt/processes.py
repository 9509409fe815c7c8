"""The two halves of the hunt, each in processes of their own."""

import asyncio
import logging
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Final

from halfdoor.backends import guard
from tests.leakhunt.fuzz import HOUSE_CASES, Found, Fuzzer
from tests.leakhunt.hunts import hunt
from tests.leakhunt.tally import Tally

# A share of the fuzzer's cases that one process takes at a time.
SHARE: Final = 25 * HOUSE_CASES


def say(text: str) -> None:
    """Print at once: a hunt takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fuzz(seed: int, start: int, count: int) -> Found:
    """In a process of its own."""
    logging.disable(logging.CRITICAL)  # what fails on purpose says so
    return asyncio.run(Fuzzer(seed).run(start, count))


def over_http(seed: int, share: int) -> Tally:
    """In a process of its own; the product's guard is on, and only loopback is open."""
    logging.disable(logging.CRITICAL)
    guard.install(testing=True)
    tally = Tally()
    with guard.loopback_test_permit(), tempfile.TemporaryDirectory(prefix="halfdoor-") as folder:
        asyncio.run(hunt(Path(folder), seed, tally, say, share=share))
    return tally


def run(seed: int, count: int, share: int) -> tuple[Tally, Found]:
    """Both halves at once, on as many processors as there are."""
    found = Found()
    workers = max(
        2, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        wire = pool.submit(over_http, seed, share)
        parts: list[Future[Found]] = [
            pool.submit(fuzz, seed, start, min(SHARE, count - start))
            for start in range(0, count, SHARE)
        ]
        for number, part in enumerate(parts, 1):
            found.add(part.result())
            if number % 10 == 0 or number == len(parts):
                say(f"fuzzer: {found.cases:,} of {count:,}")
        return wire.result(), found
