"""The one thread that appends: group commit, so that a flush is shared by all who wait for it.

While the disk flushes one batch, the next one gathers. Two things wait a little for company,
because a transaction costs 170 µs of CPU however few entries it has, and waking the thread 40 µs:
the outcome of an answer that its client already has, and, in a busy log, everything.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from halfdoor.canon.record import Entry, Outcome
from halfdoor.errors import LogError
from halfdoor.store.file import LogFile, Result
from halfdoor.store.keys import LogKeys

# Full policy: an append beyond this many fails at once, because the disk is slower than the line.
LONGEST_QUEUE: Final = 8192
LARGEST_BATCH: Final = 1024
# How long an outcome waits for the next decision's flush: at one connection that halves the
# transactions.
PATIENCE_S: Final = 0.005
# After a batch this large the next one gathers for a moment: flushes are shared by more.
BUSY_BATCH: Final = 8
GATHER_S: Final = 0.002
# How often outcomes that the disk refused are tried again when nothing else is written.
OWED_S: Final = 1.0


class Job(Struct, frozen=True):
    """An entry and who waits for its position in the log."""

    entry: Entry
    future: asyncio.Future[int]


class Writer:
    """Owns the log's file and its thread. Raises LogError at once if it cannot be opened."""

    def __init__(self, path: Path, keys: LogKeys) -> None:
        self._path = path
        self._file = LogFile(path, keys)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._patient: deque[Job] = deque()
        self._stopped = False
        self._flush_ms = 0
        self._busy = False
        # INVARIANT: an outcome that the disk refused is written before anything new. New requests
        # are refused meanwhile, so these are the exchanges that were under way, and no more.
        self._owed: list[Outcome] = []
        self._thread = threading.Thread(target=self._run, name="halfdoor-log", daemon=True)
        self._thread.start()

    @property
    def pace(self) -> tuple[int, int]:
        """Entries that wait for the disk, and milliseconds that the newest write to it took."""
        return self._jobs.qsize() + len(self._patient), self._flush_ms

    def put(self, job: Job) -> None:
        """Queue an entry. Raises LogError if the log is closed or too far behind."""
        if self._stopped:
            raise LogError("the evidence log is closed", where=str(self._path))
        # What was answered already is always taken: only new requests can be refused.
        if self._jobs.qsize() >= LONGEST_QUEUE and not isinstance(job.entry, Outcome):
            raise LogError(
                f"{LONGEST_QUEUE} entries wait for the disk",
                where=str(self._path),
                hint="the disk is too slow or too busy; is something else writing to it?",
            )
        if _can_wait(job.entry):
            if not self._patient:
                job.future.get_loop().call_later(PATIENCE_S, self._hurry)
            self._patient.append(job)
            return
        self._hurry()
        self._jobs.put(job)

    def _hurry(self) -> None:
        """Queue what waited for company, in its order; harmless when nothing does."""
        with contextlib.suppress(IndexError):
            while True:
                self._jobs.put(self._patient.popleft())

    def stop(self) -> None:
        """Write what is queued, sign the head and leave one file that can be copied."""
        if not self._stopped:
            self._stopped = True
            self._hurry()
            self._jobs.put(None)
        self._thread.join()

    # --- What follows runs in the thread. ---

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._take()
            began_s = time.perf_counter()
            results = self._write([job.entry for job in batch], last=not more)
            self._flush_ms = int((time.perf_counter() - began_s) * 1000)
            _resolve(batch, results)
        self._file.close()

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for entries or for the time to sign; False once there will be no more."""
        batch: list[Job] = []
        try:
            job = self._jobs.get(timeout=OWED_S if self._owed else self._file.sign_in_s())
            if self._busy and job is not None:
                time.sleep(GATHER_S)
            while job is not None:
                batch.append(job)
                if len(batch) == LARGEST_BATCH:
                    break
                job = self._jobs.get_nowait()
        except queue.Empty:
            pass
        else:
            if job is None:
                return batch, False
        self._busy = len(batch) >= BUSY_BATCH
        return batch, True

    def _write(self, entries: Sequence[Entry], *, last: bool) -> Sequence[Result]:
        owed = self._owed
        try:
            if owed:
                owed = self._file.unwritten(owed)
            results = self._file.append([*owed, *entries], last=last)
        except LogError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  the thread's boundary: waiters must hear of it
            failure = LogError(f"the evidence log failed: {error!r}", where=str(self._path))
        else:
            self._owed = []
            return results[len(owed) :]
        self._owed = [*owed, *(entry for entry in entries if isinstance(entry, Outcome))]
        return [_again(failure) for _ in entries]


def _can_wait(entry: Entry) -> bool:
    """Does nobody wait for this entry? A client that was refused does, for its answer."""
    return isinstance(entry, Outcome) and entry.result == "answered"


def _again(error: LogError) -> LogError:
    """Each waiter gets its own exception: a shared one would gather all their tracebacks."""
    return LogError(error.message, hint=error.hint, where=error.where)


def _resolve(batch: Sequence[Job], results: Sequence[Result]) -> None:
    """Tell the waiters, waking each of their loops once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], Result]]] = {}
    for job, result in zip(batch, results, strict=True):
        by_loop.setdefault(job.future.get_loop(), []).append((job.future, result))
    for loop, done in by_loop.items():
        with contextlib.suppress(RuntimeError):  # that loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, done)


def _settle(done: Sequence[tuple[asyncio.Future[int], Result]]) -> None:
    for future, result in done:
        if future.done():  # its task was cancelled; the entry stands all the same
            continue
        if isinstance(result, LogError):
            future.set_exception(result)
        else:
            future.set_result(result)
