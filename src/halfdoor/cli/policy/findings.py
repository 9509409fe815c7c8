"""What a look over a policy finds."""

from typing import Literal

from msgspec import Struct

from halfdoor.config.check import PATH

Level = Literal["error", "warning", "note"]


class Finding(Struct, frozen=True):
    """One thing to mend. where: `config.toml:14`. code: a stable name for programs."""

    level: Level
    where: str
    code: str
    message: str
    hint: str = ""


def is_path(label: str) -> bool:
    """Is it a label of files?"""
    return label.startswith(PATH)
