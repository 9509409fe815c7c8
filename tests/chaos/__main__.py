"""`make chaos`: many seeded schedules of faults, with figures; a failing one says how to repeat it."""

import argparse
import asyncio
import logging
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.chaos.run import Chaos, Result
from tests.chaos.schedule import Fault, schedule

# A failing schedule is tried again without each of its faults; timing is chance, so it may pass.
SHRINKS = 2


def one(seed: int, faults: Sequence[Fault], folder: Path) -> Result:
    """One run in a folder of its own."""
    folder.mkdir(parents=True)
    return asyncio.run(Chaos(folder, seed, faults).run())


def shrunk(seed: int, faults: list[Fault], folder: Path, console: Console) -> list[Fault]:
    """The schedule without halves and faults that the failure does not need, as far as found."""
    size = len(faults) // 2
    while size:
        for at in range(0, len(faults), size):
            fewer = faults[:at] + faults[at + size :]
            for n in range(SHRINKS):
                if fewer and one(seed, fewer, folder / f"{size}-{at}-{n}-{len(faults)}").found:
                    console.print(f"fails with {len(fewer)} faults")
                    return shrunk(seed, fewer, folder / "s", console)
        size //= 2
    return faults


def told(console: Console, seed: int, count: int, faults: Sequence[Fault], result: Result) -> None:
    """What was found, the schedule, and the command that repeats it."""
    for fault in result.found[:20]:
        console.print(f"FAULT {fault}", markup=False)
    for each in faults:
        console.print(str(each), markup=False)
    only = ",".join(str(fault.number) for fault in faults)
    console.print(
        f"repeat: .venv/bin/python -m tests.chaos --seed {seed} --faults {count} --only {only}"
    )


def main() -> None:
    """Read the options, run, and say what was found; exit 1 if anything was."""
    options = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    options.add_argument("--seeds", type=int, default=12, help="schedules, from --seed on")
    options.add_argument("--seed", type=int, default=None, help="one schedule alone")
    options.add_argument("--faults", type=int, default=60, help="of each schedule")
    options.add_argument("--only", default="", help="numbers of the faults to keep, by commas")
    options.add_argument("--shrink", action="store_true", help="look for fewer faults that fail")
    asked = options.parse_args()
    console, began = Console(), time.monotonic()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # the fakes' callers are killed
    first = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    seeds = range(first, first + (asked.seeds if asked.seed is None else 1))
    keep = {int(number) for number in asked.only.split(",") if number}
    sums = [0] * 7
    wrong = 0
    for seed in seeds:
        faults = [f for f in schedule(seed, asked.faults) if not keep or f.number in keep]
        folder = Path(tempfile.mkdtemp(prefix="halfdoor-chaos-"))
        result = one(seed, faults, folder / "run")
        seen = result.evidence
        sums = [a + b for a, b in zip(sums, (len(faults), seen.requests, seen.turns, seen.failed,
                seen.upstream, seen.entries, seen.unfinished), strict=True)]  # fmt: skip
        console.print(
            f"seed {seed}: {len(faults)} faults, {seen.requests:,} requests of {seen.turns:,} "
            f"turns, {seen.failed:,} failed, {seen.upstream:,} calls, at most {seen.most} for a "
            f"failed turn: {'FAILED' if result.found else 'whole'}; failed as "
            f"{', '.join(f'{how} {n}' for how, n in seen.hows.most_common())}"
        )
        if result.found:
            wrong += 1
            if asked.shrink:
                faults = shrunk(seed, faults, folder / "shrink", console)
            told(console, seed, asked.faults, faults, result)
            console.print(f"its state is in {folder}")
        else:
            shutil.rmtree(folder)
    console.print(
        f"{len(seeds)} schedules, {sums[0]:,} faults, {sums[1]:,} requests of {sums[2]:,} turns, "
        f"{sums[3]:,} of them failed, {sums[4]:,} calls of models, {sums[5]:,} entries, "
        f"{sums[6]:,} open after kills, in {time.monotonic() - began:.0f} s"
    )
    if wrong:
        raise SystemExit(f"{wrong} schedules failed")
    console.print("no leak, no lost request, no hang, no bricked session")


if __name__ == "__main__":
    main()
