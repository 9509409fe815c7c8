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
    finder = Finder({"a file of the repository": b"async def wait_for_fog(self"})
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
                    rule = answer.headers.get("x-halfdoor-rule", "none")
                    tally.held.append(f"{reading.name} beside the repository, rule {rule}")
                ask = ask_for(dialect, asked, stream=stream)
                reading.plant(ask, files.FREE)
                _move(ask, core)
                await ground.send(ask)
                judge(
                    ground, f"{reading.name} in a repository: {dialect} to {asked}", finder, tally
                )
                tally.tried["repository", reading.name, "as a tool has it", dialect] += 1
        await _stranger(ground, core, tally)


async def _stranger(ground: Ground, core: Path, tally: Tally) -> None:
    """Without session ids: whoever begins in the same words has read nothing of the repository."""
    if waits("strangers"):
        tally.waiting["strangers"] += 1
        return
    reader, stranger = _nameless("1"), _nameless("2")
    files.READINGS[0].plant(reader, files.FREE)
    _move(reader, core)
    await ground.send(reader)
    answer = await ground.send(stranger)
    tally.controls += 1
    if answer.zone != "cloud":
        tally.held.append("a stranger who begins in the same words as a reader of the repository")


def _nameless(calls: str) -> Ask:
    """Without a session's id, and with ids of calls that nobody else has, as models make them."""
    ask = ask_for("anthropic_messages", "claude-x", stream=False)
    for name in ("x-session-id", "x-claude-code-session-id"):
        del ask.headers[name]
    ask.body = json.loads(json.dumps(ask.body).replace("toolu_", f"toolu_{calls}"))
    return ask


# The twins' text has nothing of the repository's, or the one would be known by the other.
OTHER: Final = (
    "Boats are painted in spring.\nRopes are counted on Mondays, before the market opens.\n"
)


def _move(ask: Ask, root: Path) -> None:
    """`/w/harbour/…` becomes a file below `root`; beside the repository with a text of its own."""
    body = json.dumps(ask.body).replace("/w/", f"{root}/")
    if root.name != "core":
        once, other = (json.dumps(text)[1:-1] for text in (files.code(files.FREE), OTHER))
        twice, others = (json.dumps(text)[1:-1] for text in (once, other))
        body = body.replace(once, other).replace(twice, others)
    ask.body = json.loads(body)
