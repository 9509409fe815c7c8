"""Days, weeks and months where the team lives: when the current one began and when it ends."""

from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct

from halfdoor.config.zones import zone as zone


class Period(Struct, frozen=True):
    """Unix milliseconds; `until` is its end in words."""

    start_ms: int
    until_ms: int
    until: str


def period(kind: str, now_ms: int, where: tzinfo | None) -> Period:
    """The period that `now_ms` lies in. kind: `day`, `week` (from Monday) or `month`."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(where)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if kind == "day":
        start, end = day, day + timedelta(days=1)
    elif kind == "week":
        start = day - timedelta(days=day.weekday())
        end = start + timedelta(days=7)
    else:
        start = day.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    begins, ends = _aware(start, where), _aware(end, where)
    return Period(_ms(begins), _ms(ends), f"{ends:%Y-%m-%d %H:%M %Z}")


def _aware(wall: datetime, where: tzinfo | None) -> datetime:
    """A wall clock's time where the team lives: a day there may have 23 or 25 hours."""
    return wall.astimezone() if where is None else wall.replace(tzinfo=where)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
