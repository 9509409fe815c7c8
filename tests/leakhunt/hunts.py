"""All parts of the hunt in one process, in order; each on a ground of its own."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from tests.leakhunt import bodies, endpoints, everyday, files, flows, planted, repositories, split
from tests.leakhunt.canaries import Canary, keys
from tests.leakhunt.ground import Ground
from tests.leakhunt.tally import Tally

Part = Callable[[Ground, tuple[Canary, ...], Tally], Awaitable[None]]
PARTS: Final[dict[str, Part]] = {
    "bodies": bodies.hunt,
    "split keys": split.hunt,
    "files": files.hunt,
    "flows": flows.hunt,
    "everyday work": everyday.hunt,
}


async def hunt(
    folder: Path, seed: int, tally: Tally, tell: Callable[[str], Any], *, share: int = 1
) -> None:
    """Every part; of the planted keys each `share`th case, another choice for another seed."""
    canaries = keys(random.Random(seed))
    for number, (name, part) in enumerate(PARTS.items()):
        async with Ground(_state(folder, number)) as ground:
            await part(ground, canaries, tally)
        tell(f"{name}: {tally.requests:,} requests and {tally.controls:,} controls so far")
    async with Ground(_state(folder, len(PARTS) + 2)) as ground:
        await endpoints.hunt(ground, canaries, tally, seed=seed, ways=max(1, 4 // share))
    tell(f"other endpoints: {tally.requests:,} requests and {tally.controls:,} controls so far")
    await repositories.hunt(folder / "checkouts", _state(folder, len(PARTS) + 1), tally)
    chosen = sample(seed, share)
    async with Ground(_state(folder, len(PARTS))) as ground:
        for at in range(0, len(chosen), 500):
            await planted.hunt(ground, chosen[at : at + 500], tally)
            tell(f"planted keys: {min(at + 500, len(chosen)):,} of {len(chosen):,}")


def sample(seed: int, share: int) -> list[planted.Case]:
    """Each `share`th case of a shuffled list, so that all places and ways are in it."""
    cases = list(planted.cases(seed))
    random.Random(seed).shuffle(cases)
    return cases[::share]


def _state(folder: Path, number: int) -> Path:
    state = folder / f"state-{number}"
    state.mkdir(mode=0o700)
    return state
