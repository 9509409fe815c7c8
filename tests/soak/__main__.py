"""`make soak`: a hundred thousand requests through one gateway, and whether it held."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.soak.gauge import Sample
from tests.soak.soak import FILLING, Result, soak

# What counts as flat: noise of an allocator, far below one kept request in a hundred.
FLAT_KIB: Final = 1024
FLAT_DESCRIPTORS: Final = 2.0
QUIET_S: Final = 35.0


def main() -> None:
    """Read the options, run, and say what was found; exit 1 if anything was."""
    options = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--connections", type=int, default=24)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    console, began = Console(), time.monotonic()
    total = asked.requests + FILLING

    def tell(now: Sample) -> None:
        rate = now.requests / (time.monotonic() - began)
        console.print(
            f"{now.requests:>8,} of {total:,}   {rate:>6,.0f}/s   {now.rss_kib / 1024:>7.1f} MiB   "
            f"{now.descriptors:>4} descriptors   {now.threads} threads"
        )

    with tempfile.TemporaryDirectory(prefix="halfdoor-soak-") as folder:
        run = soak(
            Path(folder) / "home",
            requests=asked.requests,
            connections=asked.connections,
            every=max(100, asked.requests // 40),
            quiet_s=QUIET_S,
            seed=asked.seed,
            tell=tell,
        )
        result = asyncio.run(run)
    faults = report(console, result, warm=total // 4)
    sys.exit(1 if faults else 0)


def report(console: Console, result: Result, warm: int) -> list[str]:
    """Print what was measured; returns what is wrong."""
    for (kind, status), count in sorted(result.statuses.items()):
        console.print(f"  {kind:<8} {status or 'left':>4}  {count:>7,}")
    memory, descriptors = result.memory_slope(warm), result.descriptor_slope(warm)
    console.print(f"requests     {result.requests:,}; at the backends {result.upstream:,}")
    console.print(f"memory       {memory:+.0f} KiB per 10,000 requests, after {warm:,}")
    console.print(
        f"descriptors  {descriptors:+.1f} per 10,000 requests; {result.before.descriptors} before "
        f"the first client, {result.after.descriptors} after the last"
    )
    faults = result.found[:20]
    if result.before.rss_kib < 0:
        console.print("memory and descriptors were NOT measured: this system has no /proc")
    if memory > FLAT_KIB:
        faults.append(f"memory grows by {memory:.0f} KiB per 10,000 requests")
    if descriptors > FLAT_DESCRIPTORS or result.after.descriptors > result.before.descriptors:
        faults.append("descriptors were left open")
    for fault in faults:
        console.print(f"FAULT {fault}", markup=False)
    if not faults:
        console.print("every request is in the log once, decision and outcome; the log is whole")
    return faults


if __name__ == "__main__":
    main()
