"""`make crash`: hundreds of kills, with a count that moves and figures at the end."""

import argparse
import asyncio
import logging
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from tests.crash.lives import Lives, Tally
from tests.helpers.fake_model import FakeModel

# A log of twenty lives is inspected after each of them: long enough to grow, short enough to read.
LIVES: Final = 20
LANES: Final = 2
# Where no bar can move.
SAID_EVERY: Final = 25
# Up to here a gateway lives under load: long enough for heads to be signed and journals folded in.
LONGEST_S: Final = 1.5


async def lane(folder: Path, kills: int, chance: random.Random, tally: Tally, progress: Progress):
    """One state directory after another."""
    task = progress.task_ids[0]

    def died() -> None:
        progress.advance(task)
        if not progress.console.is_terminal and tally.kills % SAID_EVERY == 0:
            progress.console.print(f"{tally.kills} kills")

    while kills > 0:
        seed = chance.randrange(2**32)
        with FakeModel() as fake:
            home = folder / f"home-{seed}"
            try:
                lives = Lives(home, seed, fake, tally, longest_s=LONGEST_S)
                await lives.run(min(kills, LIVES), died)
            except Exception:
                progress.console.print(f"failed with seed {seed}; its state is in {home}")
                raise
        kills -= LIVES


async def crash(kills: int, seed: int, folder: Path, console: Console) -> Tally:
    """All lanes at once."""
    tally = Tally()
    columns = (MofNCompleteColumn(), "kills", TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        progress.add_task("", total=kills)
        shares = [kills // LANES + (number < kills % LANES) for number in range(LANES)]
        chances = [random.Random(seed + number) for number in range(LANES)]
        async with asyncio.TaskGroup() as lanes:
            for share, chance in zip(shares, chances, strict=True):
                lanes.create_task(lane(folder, share, chance, tally, progress))
    return tally


def main() -> None:
    """Read the options, run, and say what was found."""
    options = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    options.add_argument("--kills", type=int, default=300)
    options.add_argument("--seed", type=int, default=None, help="repeats the choices of a run")
    asked = options.parse_args()
    seed = random.SystemRandom().randrange(2**32) if asked.seed is None else asked.seed
    console = Console()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # the fake's callers are killed
    console.print(f"{asked.kills} kills under load, at the start and during stops; seed {seed}")
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="halfdoor-crash-"))
    tally = asyncio.run(crash(asked.kills, seed, folder, console))
    shutil.rmtree(folder)  # after a failure it stays, to be looked at
    console.print(
        f"{tally.kills} kills in {time.monotonic() - began:.0f} s: {tally.answered:,} answers whole, "
        f"{tally.cut:,} cut short, {tally.reached:,} requests at a backend; {tally.entries:,} "
        f"entries verified, {tally.unfinished:,} decisions without outcome"
    )
    console.print("every answer has its decision before its outcome; every log is whole")


if __name__ == "__main__":
    main()
