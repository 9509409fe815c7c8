"""`make mutate`: broken requests over every endpoint; says what was tried and what was wrong."""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.leakhunt.processes import say
from tests.mutate.run import Found, made, ran


def main() -> None:
    """Read the options, run, and say what was found; exit 1 if anything was."""
    options = argparse.ArgumentParser(prog="tests.mutate", description=__doc__)
    options.add_argument("--cases", type=int, default=12_000, help="mutated requests")
    options.add_argument("--seed", type=int, default=None, help="repeats the choices of a run")
    options.add_argument("--replay", type=int, default=None, help="one case alone, and its body")
    asked = options.parse_args()
    seed = _seed() if asked.seed is None else asked.seed
    if asked.replay is not None:
        say(_told(seed, asked.replay))
    numbers = range(asked.cases) if asked.replay is None else range(asked.replay, asked.replay + 1)
    began = time.monotonic()
    found = ran(seed, numbers)
    say("\n".join(_lines(found, seed, time.monotonic() - began)))
    sys.exit(1 if found.wrong else 0)


def _lines(found: Found, seed: int, seconds: float) -> Iterator[str]:
    yield f"seed {seed}: {found.cases:,} requests in {seconds:.0f} s, {found.sent_on:,} sent on"
    yield f"answers: {_counted(found.answers)}"
    yield f"endpoints: {_counted(found.paths)}"
    yield f"mutations: {_counted(found.mutations)}"
    yield f"slowest: {found.slowest[0]:.2f} s, {found.slowest[1]}"
    yield from found.wrong[:60]
    hint = f"{len(found.wrong):,} wrong; hint: --seed {seed} --replay NUMBER"
    yield hint if found.wrong else "each was refused in its own words, or answered"


def _counted(of: Counter[Any]) -> str:
    return ", ".join(f"{count:,} x {what}" for what, count in of.most_common())


def _told(seed: int, number: int) -> str:
    of, case, _ = made(seed, number)
    return f"{of.path} {case.headers} {case.query}\n{case.data!r}"


def _seed() -> int:
    """CI tries the same each time, so that a failure there is the change's."""
    return 1 if os.environ.get("CI") else random.SystemRandom().randrange(2**32)


if __name__ == "__main__":
    main()
