"""Offline: nothing but this device is spoken to. How it is said, and the rule that it means."""

import os
from pathlib import Path
from typing import Final

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import EVERY, Above, Rule

# In the state directory: while this file is there, halfdoor is offline.
FLAG: Final = "offline"
OPTION: Final = "--offline"
COMMAND: Final = "halfdoor offline on"


def offline_rule(source: str) -> Rule:
    """The rule that holds while halfdoor is offline. source: who said so."""
    return Rule("offline", EVERY, Zone.DEVICE, Above.EXCLUDE, source)


def flag(state_dir: Path) -> Path:
    """The file that says so."""
    return state_dir / FLAG


def flagged(place: str) -> bool:
    """Is the flag there? Less than a microsecond, so that it can be asked for every request."""
    return os.access(place, os.F_OK)
