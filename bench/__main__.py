"""Measures the gateway on one core, beside a direct call and nginx: `make bench`.

One round runs every case against every target in turn, so that a change in the machine's load
meets them all; the table shows the median of the rounds. Scan, decision and durable log are on.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice, repeat
from pathlib import Path
from statistics import median
from typing import Final

import uvloop
from msgspec import Struct

from bench import bodies
from bench.load import Sample, ask
from bench.process import GATEWAY_CPU, LOAD_CPU, Process, nginx, pin, profiled, started
from halfdoor.canon.record import Noted
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import SqliteLog

# Below the range from which systems take the ports of clients.
MOCK_PORT: Final = 24_190
NGINX_PORT: Final = 24_191
GATEWAY_PORT: Final = 24_192
# Requests before the clock starts; their CPU is in the gateway's, so they are counted there.
WARM_UP: Final = 5

CONFIG: Final = f"""
[server]
listen = "127.0.0.1:{GATEWAY_PORT}"
[[backends]]
name = "chat"
dialect = "openai_chat"
url = "http://127.0.0.1:{MOCK_PORT}/v1"
zone = "cloud"
[[backends]]
name = "messages"
dialect = "anthropic_messages"
url = "http://127.0.0.1:{MOCK_PORT}"
zone = "cloud"
[[models]]
name = "chat"
backend = "chat"
id = "mock"
[[models]]
name = "messages"
backend = "messages"
id = "mock"
"""

Bodies = Callable[[int], Iterator[bytes]]


class Case(Struct, frozen=True):
    """One kind of request. make: bodies for one round, endless unless the case is `counted`."""

    name: str
    path: str
    make: Bodies
    connections: int = 1
    counted: bool = False


class Row(Struct, frozen=True):
    """One line of the table. unit: of figure and aim. most: is the aim an upper limit?"""

    what: str
    unit: str
    figure: float
    aim: float | None = None
    most: bool = True


def _small(path: str, model: str, chunks: int = 0) -> Bodies:
    return lambda _: repeat(bodies.small(path, model, chunks))


def _cold(round_: int) -> Iterator[bytes]:
    """Turns that share no block with any before them."""
    runs = (10_000 * round_ + n for n in range(12))
    return iter([bodies.long_turn(bodies.CHAT, "chat", 200, run=run) for run in runs])


def _warm(round_: int) -> Iterator[bytes]:
    """One session's turns: only the last message is new."""
    turns = (10_000 * round_ + n for n in range(40))
    return iter([bodies.long_turn(bodies.CHAT, "chat", 200, run=-1, last=n) for n in turns])


CASES: Final = (
    Case("chat 1 KB", bodies.CHAT, _small(bodies.CHAT, "chat")),
    Case("messages 1 KB", bodies.MESSAGES, _small(bodies.MESSAGES, "messages")),
    Case("64 at once", bodies.CHAT, _small(bodies.CHAT, "chat"), connections=64),
    Case("chat stream", bodies.CHAT, _small(bodies.CHAT, "chat", 200)),
    Case("messages stream", bodies.MESSAGES, _small(bodies.MESSAGES, "messages", 200)),
    Case("translated", bodies.MESSAGES, _small(bodies.MESSAGES, "chat", 200)),
    Case("400 KB new", bodies.CHAT, _cold, counted=True),
    Case("400 KB next turn", bodies.CHAT, _warm, counted=True),
)


class Measured:
    """What all rounds gave, by case and target."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
        self.cpu_ms: dict[tuple[str, str], list[float]] = defaultdict(list)

    def take(self, case: Case, target: str, sample: Sample, cpu_s: float) -> None:
        """One run."""
        served = sample.done + (0 if case.counted else WARM_UP)
        self.samples[case.name, target].append(sample)
        self.cpu_ms[case.name, target].append(cpu_s * 1000 / served)

    def per_s(self, case: str, target: str) -> float:
        """Requests a second."""
        return median(sample.per_s for sample in self.samples[case, target])

    def cpu(self, case: str, target: str) -> float:
        """CPU a request, ms."""
        return median(self.cpu_ms[case, target])

    def added(self, case: str, target: str, *, first: bool = False) -> float:
        """What the target adds to the direct call's median, ms."""
        return self._ms(case, target, first=first) - self._ms(case, "direct", first=first)

    def _ms(self, case: str, target: str, *, first: bool) -> float:
        samples = self.samples[case, target]
        return median(sample.first_ms if first else sample.total_ms for sample in samples)


async def measure(case: Case, target: str, port: int, round_: int, seconds: float) -> Sample:
    """One case against one target, warmed up first."""
    made = case.make(round_)
    if not case.counted:
        warm_up = islice(made, WARM_UP)
        await ask(port, case.path, lambda: next(warm_up, None))
    ends = time.perf_counter() + seconds

    def following() -> bytes | None:
        return None if time.perf_counter() > ends else next(made, None)

    sample = await ask(port, case.path, following, connections=case.connections)
    if sample.failed or not sample.done:
        sys.exit(f"bench: {sample.failed} of {sample.done} requests failed: {case.name}, {target}")
    return sample


async def flush_ms(directory: Path, times: int = 60) -> list[float]:
    """How long one append alone waits to be durable, on the disk that the log is on."""
    log = SqliteLog(directory, LogKeys.load_or_create(directory))
    waits = []
    for number in range(times):
        begun = time.perf_counter()
        await log.append(Noted(f"hd_{number:026}", "2026-01-01T00:00:00.000Z", "bench", {}))
        waits.append((time.perf_counter() - begun) * 1000)
    await log.close()
    return waits


def gateway(home: Path, number: int = 0) -> Process:
    """Start halfdoor, pinned; waits until it answers."""
    state = home / f"state{number}"
    config = home / f"config{number}.toml"
    config.write_text(CONFIG.replace("[server]", f'[server]\nstate_dir = "{state}"'))
    command = [sys.executable, "-m", "halfdoor", "serve", "--config", str(config)]
    return started("halfdoor", command, GATEWAY_PORT, GATEWAY_CPU, home)


def run(rounds: int, seconds: float, only: str, profile: str) -> None:
    """Everything, and the tables. profile: py-spy's file of what the gateway did, "" for none."""
    cases = [case for case in CASES if only in case.name]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="halfdoor-bench-")))
        pin(0, LOAD_CPU)
        mock = [sys.executable, "-m", "bench.mock", str(MOCK_PORT)]
        stack.enter_context(started("mock", mock, MOCK_PORT, LOAD_CPU, home))
        starts = []
        for number in range(3):  # the first compiles the patterns, as after an upgrade
            with gateway(home, min(number, 1)) as once:
                starts.append(once.start_s)
        ours = stack.enter_context(gateway(home, 1))
        fresh_mb = ours.rss_mb()
        if profile:
            stack.enter_context(profiled(ours, profile))
        targets: dict[str, Process | None] = {"direct": None, "halfdoor": ours}
        ports = {"direct": MOCK_PORT, "halfdoor": GATEWAY_PORT, "nginx": NGINX_PORT}
        if shutil.which("nginx"):
            targets["nginx"] = stack.enter_context(nginx(home, NGINX_PORT, MOCK_PORT))
        found = Measured()
        flushes: list[float] = []
        for round_ in range(rounds):
            (probe := home / f"flush{round_}").mkdir()
            flushes += uvloop.run(flush_ms(probe))
            for case in cases:
                for target, process in targets.items():
                    before = process.cpu_s() if process else 0.0
                    sample = uvloop.run(measure(case, target, ports[target], round_, seconds))
                    spent = process.cpu_s() - before if process else 0.0
                    found.take(case, target, sample, spent)
        busy_mb = ours.rss_mb()
    conditions(rounds, seconds, flushes)
    beside(cases, found, list(targets)[1:])
    if len(cases) == len(CASES):
        against_aims(rows(found, starts, fresh_mb, busy_mb))


def rows(found: Measured, starts: list[float], fresh_mb: float, busy_mb: float) -> list[Row]:
    """The figures that have an aim."""
    us = "halfdoor"
    return [
        Row("CPU of a 1 KB request, one connection", "ms", found.cpu("chat 1 KB", us), 0.45),
        Row("the same, Messages", "ms", found.cpu("messages 1 KB", us), 0.45),
        Row("requests at 64 connections", "/s", found.per_s("64 at once", us), 4000, most=False),
        Row("CPU of 200 chunks passed through, Chat", "ms", found.cpu("chat stream", us), 0.9),
        Row("the same, Messages", "ms", found.cpu("messages stream", us), 0.9),
        Row("CPU of 200 chunks translated", "ms", found.cpu("translated", us), 1.5),
        Row(
            "first token of a new 400 KB turn, added (with its flush)",
            "ms",
            found.added("400 KB new", us, first=True),
            10,
        ),
        Row(
            "the same, only the last message new (with its flush)",
            "ms",
            found.added("400 KB next turn", us, first=True),
            1.5,
        ),
        Row("from the start to the first answer, first start of all", "s", starts[0]),
        Row("from the start to the first answer", "s", min(starts[1:]), 0.5),
        Row("memory when fresh", "MB", fresh_mb, 80),
        Row("memory after the run", "MB", busy_mb, 80),
    ]


def conditions(rounds: int, seconds: float, flushes: list[float]) -> None:
    """What a reader must know to judge the figures."""
    cores = os.cpu_count() or 1
    python = f"Python {platform.python_version()}"
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    say(f"{now}, {_processor()}, {cores} cores, {platform.system()}, {python}")
    say(f"{rounds} rounds of {seconds:g} s, interleaved; medians; scan, decision and log on")
    say(f"load average {os.getloadavg()[0]:.1f}: well above 2, others' work is in these figures")
    if not pin(0, LOAD_CPU):
        say("cores could not be pinned here: the gateway shares them with its load")
    waits = sorted(flushes)
    say(
        f"flush: one append alone is durable after {median(waits):.2f} ms "
        f"(p90 {waits[len(waits) * 9 // 10]:.2f}); every exchange waits for one before its call"
    )
    if not shutil.which("nginx"):
        say("nginx is not installed: not compared")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "?")


def beside(cases: list[Case], found: Measured, targets: list[str]) -> None:
    """Every case, beside what stands next to us."""
    say(f"\n{'case':<18}{'target':<10}{'CPU ms':>9}{'req/s':>9}{'+ms':>9}{'+first ms':>11}")
    for case in cases:
        for target in targets:
            name = case.name
            say(
                f"{name:<18}{target:<10}{found.cpu(name, target):>9.3f}"
                f"{found.per_s(name, target):>9.0f}{found.added(name, target):>9.2f}"
                f"{found.added(name, target, first=True):>11.2f}"
            )


def against_aims(table: list[Row]) -> None:
    """The figures beside their aims."""
    say(f"\n{'':<60}{'found':>12}{'aim':>12}")
    for row in table:
        told = (
            f"{row.figure:.2f} {row.unit}" if row.figure < 100 else f"{row.figure:.0f} {row.unit}"
        )
        say(f"{row.what:<60}{told:>12}{_aim(row):>12}{_verdict(row)}")


def _aim(row: Row) -> str:
    return "" if row.aim is None else f"{'<=' if row.most else '>='} {row.aim:g}"


def _verdict(row: Row) -> str:
    if row.aim is None:
        return ""
    met = row.figure <= row.aim if row.most else row.figure >= row.aim
    return "  met" if met else "  missed"


def say(line: str) -> None:
    """To the terminal."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Read the command line."""
    asking = argparse.ArgumentParser(prog="bench", description=__doc__)
    asking.add_argument("--rounds", type=int, default=3)
    asking.add_argument("--seconds", type=float, default=1.5, help="of one case in one round")
    asking.add_argument("--only", default="", help="cases whose name holds this")
    asking.add_argument(
        "--profile", default="", metavar="FILE", help="with py-spy, speedscope form"
    )
    asked = asking.parse_args()
    try:
        run(asked.rounds, asked.seconds, asked.only, asked.profile)
    except OSError as error:
        sys.exit(f"bench: {error}")


if __name__ == "__main__":
    main()
