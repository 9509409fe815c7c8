"""Files of a repository that stays as a whole, known by where they lie and not by a rule's glob."""

import json
from pathlib import Path
from typing import Final

from tests.helpers.asks import Ask
from tests.leakhunt import files
from tests.leakhunt.ground import Ground, ask_for, variants
from tests.leakhunt.planted import judge
from tests.leakhunt.search import Finder
from tests.leakhunt.status import waits
from tests.leakhunt.tally import Tally

# Readings that name a file by its whole path; others need the project's root, which a session tells.
NAMES: Final = (
    "Read", "OpenCode's read", "MCP file server", "MCP by address", "Write", "parallel reads",
    "reminder of a read",
)  # fmt: skip


async def hunt(folder: Path, state: Path, tally: Tally) -> None:
    """Each reading of a file in the checkout, and its twin in a folder beside it."""
    readings = [reading for reading in files.READINGS if reading.name in NAMES]
    forms = list(variants())
    if waits("repositories"):
        tally.waiting["repositories"] += len(readings) * len(forms)
        return
    core, beside = folder / "core", folder / "beside"
    for each in (core, beside):
        (each / files.FREE).mkdir(parents=True)
    finder = Finder({"a file of the repository": b"entry.tide_of_lighthouse"})
    async with Ground(state, core) as ground:
        for reading in readings:
            for dialect, stream, asked in forms:
                if dialect not in reading.dialects:
                    continue
                twin = ask_for(dialect, asked, stream=stream)
                reading.plant(twin, files.FREE)
                _move(twin, beside)
                answer = await ground.send(twin)
                tally.controls += 1
                if answer.zone != "cloud" or not ground.cloud.take():
                    tally.held.append(f"{reading.name} beside the repository: {answer.status}")
                ask = ask_for(dialect, asked, stream=stream)
                reading.plant(ask, files.FREE)
                _move(ask, core)
                await ground.send(ask)
                judge(
                    ground, f"{reading.name} in a repository: {dialect} to {asked}", finder, tally
                )
                tally.tried["repository", reading.name, "as a tool has it", dialect] += 1


def _move(ask: Ask, root: Path) -> None:
    """`/w/harbour/…` becomes a file below `root`, whose text is its own."""
    body = json.dumps(ask.body).replace("/w/", f"{root}/")
    # Twins differ from what they are twins of, or the one would be known by the other.
    text = "lighthouse" if root.name == "core" else "signal_box"
    ask.body = json.loads(body.replace("lighthouse", text))
