"""Does a connected tool's traffic really pass? What it says it did, compared with the log.

A tool that is configured for halfdoor may still go past it: it was started before, a project's
settings or a variable say otherwise, or an update changed how it reads its file. So the mark that
`connect` planted in its address is looked for in the log, at the time of the tool's last turn.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from halfdoor.canon.request import LAUNCHED
from halfdoor.cli.checkup import Finding
from halfdoor.config.connect.files import LIMIT_BYTES
from halfdoor.config.connect.records import Connection, connections
from halfdoor.config.mark import planted
from halfdoor.config.tools import TOOLS
from halfdoor.config.tools.tool import Tool, Turns
from halfdoor.errors import LogError, SetupError
from halfdoor.store.reader import Exchange, LogReader
from halfdoor.store.schema import FILE

# A tool writes its answer down when it has it: a moment after the outcome, on one clock.
SLACK: Final = timedelta(seconds=10)
# An exchange without an outcome is under way, or its gateway was killed.
_OPEN: Final = timedelta(hours=1)
_TAIL_BYTES: Final = 1024 * 1024
_NEWEST_FILES: Final = 20


def traffic(root: str, home: Path, project: Path, state: Path) -> Iterator[Finding]:
    """One finding for each file of a tool that points here, or should. root: the address here."""
    try:
        known = {(c.tool, c.file): c for c in connections(state)}
    except SetupError as error:
        yield Finding("fail", "tools", error.message, error.hint)
        return
    for tool in TOOLS:
        for file in _files(tool, home, project, known):
            finding = _judged(tool, file, root, home, state, known.get((tool.name, str(file))))
            if finding:
                yield finding


def last_turn(turns: Turns, home: Path, since: datetime) -> datetime | None:
    """When the tool last had an answer, by its own session files; None for none since then.

    Only the newest files are read, and of each only its end.
    """
    files = [(_mtime(f), f) for glob in turns.files for f in home.glob(glob) if f.is_file()]
    fresh = sorted((each for each in files if each[0] >= since), reverse=True)[:_NEWEST_FILES]
    times = [time for _, file in fresh for time in _times(file, turns)]
    return max((time for time in times if time >= since), default=None)


def _files(
    tool: Tool, home: Path, project: Path, known: Mapping[tuple[str, str], Connection]
) -> list[Path]:
    """Where the tool may have been pointed here, and where it was."""
    if tool.place is None:
        return []
    found = [home / name for name in tool.place.files]
    found += [project.absolute() / tool.place.project] if tool.place.project else []
    found += [Path(file) for name, file in known if name == tool.name]
    return list(dict.fromkeys(found))


def _judged(
    tool: Tool, file: Path, root: str, home: Path, state: Path, known: Connection | None
) -> Finding | None:
    about = f"tool {tool.name}"
    text = _text(file)
    here = root in text and (not known or known.mark in planted(text, root))
    if not here:
        gone = known is None or not file.parent.exists()  # a project that is no more
        return None if known is None or gone else _moved(about, tool, file, home, known)
    marks = planted(text, root)
    since = _read(known.at) if known else _mtime(file)
    turn = last_turn(tool.turns, home, since) if tool.turns else None
    try:
        exchange = _newest(tool, marks, state, since)
    except LogError as error:
        return Finding("fail", about, error.message, error.hint)
    return _compared(about, tool, file, since, turn, exchange)


def _moved(about: str, tool: Tool, file: Path, home: Path, known: Connection) -> Finding:
    said = f"connected {_told(_read(known.at))}, but {file} no longer points here"
    assert tool.place is not None
    own = tool.place.project
    mine = file in {home / name for name in tool.place.files}
    at = "" if mine else f" --project {str(file).removesuffix(f'/{own}')}"
    hint = f"`halfdoor connect {tool.name}{at}` again, or `halfdoor disconnect {tool.name}{at}`"
    return Finding("fail", about, said, hint)


def _compared(
    about: str,
    tool: Tool,
    file: Path,
    since: datetime,
    turn: datetime | None,
    exchange: Exchange | None,
) -> Finding:
    came = f"last exchange by it {_told(_read(exchange.decided.time))}" if exchange else "none came"
    begun = f"{file} points here since {_told(since)}"
    if turn is not None and (exchange is None or turn > _until(exchange) + SLACK):
        said = f"its turn of {_told(turn)} never came ({begun}; {came})"
        hint = (
            f"start {tool.title} anew, and see that no variable, project or managed setting "
            "says another address"
        )
        return Finding("fail", about, said, hint)
    if turn is not None:
        return Finding("ok", about, f"its turn of {_told(turn)} came here ({begun})")
    if exchange is not None:
        return Finding("ok", about, f"{came} ({begun})")
    unseen = "has not run since" if tool.turns else "nothing came yet; when it ran cannot be seen"
    return Finding("ok", about, f"{begun}; {unseen}")


def _newest(tool: Tool, marks: tuple[str, ...], state: Path, since: datetime) -> Exchange | None:
    """The newest exchange of this connection, or of the tool as `launch` started it.

    An address without a mark, written by hand, is known by the tool's user agent only.
    """
    if not (state / FILE).exists():
        return None
    said = [{"via": mark} for mark in marks] or [{"tool": tool.name}]
    said.append({"token": LAUNCHED, "tool": tool.name})
    with LogReader(state) as reader:
        return reader.newest(said, since.astimezone(UTC).isoformat(timespec="milliseconds")[:-6])


def _until(exchange: Exchange) -> datetime:
    if exchange.outcome is None and not exchange.decided.refusal:
        return _read(exchange.decided.time) + _OPEN
    return _read((exchange.outcome or exchange.decided).time)


def _times(file: Path, turns: Turns) -> Iterator[datetime]:
    """The times of the answers in a file's end, newest first: one is enough."""
    for line in reversed(_end(file).splitlines()):
        if turns.said in line and turns.not_said not in line and (time := _stamp(line)):
            yield time
            return


class _Line(msgspec.Struct):
    timestamp: datetime | None = None


def _stamp(line: str) -> datetime | None:
    try:
        found = msgspec.json.decode(line, type=_Line).timestamp
    except msgspec.MsgspecError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _end(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            opened.seek(0, 2)
            opened.seek(max(0, opened.tell() - _TAIL_BYTES))
            return opened.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _text(file: Path) -> str:
    """A file's text, "" where there is none that can be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(LIMIT_BYTES).decode("utf-8", "replace") if file.is_file() else ""
    except OSError:
        return ""


def _mtime(file: Path) -> datetime:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)


def _read(time: str) -> datetime:
    return datetime.fromisoformat(time)


def _told(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
