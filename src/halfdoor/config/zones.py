"""Time zones by their names: where days, weeks and months begin, and the hours of routes are."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.errors import SetupError


def zone(name: str) -> tzinfo | None:
    """A time zone by its name; None, for "", is the machine's. Raises SetupError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(
            f"there is no time zone `{name}` on this machine",
            hint="give one as `Europe/Berlin`; on Windows, `pip install tzdata` brings them",
        ) from None


def check_zone(source: Source, tables: Tables) -> None:
    """Raise SetupError, with its line, for a time zone that is none."""
    try:
        zone(tables.server.time_zone)
    except SetupError as error:
        raise source.error(("server", "time_zone"), error.message, error.hint) from None
