"""`make leakhunt`: everything is tried to make a canary leave; says what was tried and found."""

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import time
from pathlib import Path

from tests.leakhunt.fuzz import HOUSE_CASES, Fuzzer
from tests.leakhunt.processes import run, say
from tests.leakhunt.report import faults, lines


def main() -> None:
    """Read the options, run, and say what was found; exit 1 if anything was."""
    options = argparse.ArgumentParser(prog="tests.leakhunt", description=__doc__)
    options.add_argument("--fuzz", type=int, default=5_000, help="generated requests")
    options.add_argument("--share", type=int, default=3, help="each so many-th planted key")
    options.add_argument("--seed", type=int, default=None, help="repeats the choices of a run")
    options.add_argument("--replay", type=int, default=None, help="one fuzzer's case, told alone")
    options.add_argument("--json", type=Path, default=None, help="write the figures there too")
    asked = options.parse_args()
    seed = _seed() if asked.seed is None else asked.seed
    if asked.replay is not None:
        sys.exit(replay(seed, asked.replay))
    say(f"seed {seed}")
    began = time.monotonic()
    tally, found = run(seed, asked.fuzz, asked.share)
    seconds = time.monotonic() - began
    say("\n".join(lines(tally, found, seed, seconds)))
    if asked.json:
        told = {"seed": seed, "seconds": round(seconds), "http": tally.as_json()}
        told["fuzzer"] = found.as_json()
        asked.json.write_text(json.dumps(told, indent=1))
    wrong = faults(tally, found)
    say("\n".join(wrong[:50]) if wrong else "nothing left, and everything is in the log")
    sys.exit(1 if wrong else 0)


def replay(seed: int, number: int) -> int:
    """The house of one case, up to that case; the exit status."""
    logging.disable(logging.CRITICAL)
    first = number // HOUSE_CASES * HOUSE_CASES
    found = asyncio.run(Fuzzer(seed).replay(first, number - first + 1))
    told = [*found.leaks, *found.unrecorded, *found.held]
    say("\n".join(told) or f"nothing wrong up to case {number}")
    return 1 if told else 0


def _seed() -> int:
    """CI tries the same each time, so that a failure there is the change's."""
    return 1 if os.environ.get("CI") else random.SystemRandom().randrange(2**32)


if __name__ == "__main__":
    main()
