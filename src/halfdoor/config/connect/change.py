"""One change of a tool's file, as it is kept until it is undone."""

from msgspec import Struct

from halfdoor.errors import SetupError


class Change(Struct, frozen=True):
    """What was written, and what stood there.

    JSON: at leads to the value; new and old are its text, old None where there was none; below
    `kept` keys of the way, every object was made for it. Lines: at is () and both are whole lines.
    """

    at: tuple[str, ...]
    new: str
    old: str | None = None
    kept: int = 0


class Unfit(SetupError):  # noqa: N818  the file is not wrong, only beyond this program
    """A file that cannot be changed safely. message: why."""
