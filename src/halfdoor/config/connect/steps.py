"""What connecting or disconnecting a tool would do to its file; and doing it."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.config.connect import files, forms, records
from halfdoor.config.connect.change import Unfit
from halfdoor.config.connect.files import Seen
from halfdoor.config.connect.records import Connection
from halfdoor.config.mark import marked
from halfdoor.config.tools.tool import Setting, Tool, Wish, wished
from halfdoor.errors import SetupError


class Step(Struct, frozen=True):
    """What would be done. data: the file's new bytes; None removes it.

    file: as it is named, links not followed. record: what will stand written down, None for
    nothing. left: what was not undone because another has changed it since. keep: what the file
    held before it was ever connected, to be kept beside it; None where no copy is due.
    """

    tool: Tool
    file: Path
    was: Seen
    data: bytes | None
    record: Connection | None
    settings: tuple[Setting, ...] = ()
    left: tuple[str, ...] = ()
    keep: bytes | None = None
    spent: str = ""

    @property
    def idle(self) -> bool:
        """Is nothing to be done to the file?"""
        return self.data == (None if self.was.mode is None else self.was.data)


def connecting(
    tool: Tool, file: Path, below: Path, wish: Wish, state: Path, *, nonce: str, now: str
) -> Step:
    """Point a tool here. wish.root: the address, without a mark. below: what holds the file.

    A tool that is connected already is changed from what its file was before, under its old mark.
    Raises SetupError; Unfit, with the lines to add by hand as its hint, for a file beyond us.
    """
    assert tool.place is not None
    was = files.seen(file, below)
    known = records.found(state, tool.name, file)
    mark = known.mark if known else f"{tool.name}-{nonce}"
    settings = wished(tool.place, replace(wish, root=marked(wish.root, mark)))
    try:
        base, left = _before(tool, was, known)
        text = base if base.strip() else tool.place.fresh or base
        text, changes = forms.changed(tool.place.form, text, settings)
    except Unfit as error:
        lines = forms.by_hand(tool.place, settings)
        raise Unfit(error.message, where=str(file), hint=lines) from None
    data = text.encode()
    fresh = was.mode is None or (known is not None and known.before == "")
    record = Connection(
        tool=tool.name,
        file=str(file),
        root=wish.root,
        mark=mark,
        at=known.at if known and data == was.data else now,
        before="" if fresh else files.digest(base.encode()),
        after=files.digest(data),
        backup="" if fresh else str(was.path) + files.SUFFIX,
        changes=changes,
    )
    keep = None if fresh else base.encode()
    return Step(tool, file, was, data, record, settings, left, keep)


def disconnecting(tool: Tool, file: Path, below: Path, state: Path) -> Step:
    """Take back what connecting did, and nothing else. Raises SetupError."""
    was = files.seen(file, below)
    known = records.found(state, tool.name, file)
    if known is None or was.mode is None:
        data = None if was.mode is None else was.data
        return Step(tool, file, was, data, None)
    try:
        base, left = _before(tool, was, known)
    except Unfit as error:
        hint = f"mend it, or take its copy back: {known.backup}" if known.backup else "mend it"
        raise SetupError(error.message, where=str(file), hint=hint) from None
    assert tool.place is not None
    empty = base.strip() in {"", "{}", "[]", tool.place.fresh.strip()}
    data = None if known.before == "" and empty else base.encode()
    whole = data is not None and files.digest(data) == known.before
    return Step(tool, file, was, data, None, (), left, None, known.backup if whole else "")


def done(step: Step, state: Path) -> None:
    """Do it: the copy first, then the word of it, then the file. Raises SetupError."""
    if step.keep is not None:
        files.backed_up(Seen(step.was.path, step.keep, step.was.mode))
    if step.record is not None:
        # Before the file: a word too much is harmless, a change that nobody can undo is not.
        records.kept(state, step.tool.name, step.file, step.record)
    if not step.idle:
        if step.data is None:
            files.removed(step.was.path)
        else:
            files.written(step.was, step.data)
    if step.record is None:
        if records.found(state, step.tool.name, step.file):
            records.kept(state, step.tool.name, step.file, None)
        if step.spent:
            files.removed(Path(step.spent))


def _before(tool: Tool, was: Seen, known: Connection | None) -> tuple[str, tuple[str, ...]]:
    """The file without what connecting did, and what of that was changed since. Raises Unfit.

    A file that nobody has touched since becomes again, byte for byte, what it was.
    """
    assert tool.place is not None
    if known is None or was.mode is None:
        return was.text, ()
    if files.digest(was.data) == known.after:
        if known.before == "":
            return "", ()
        copy = files.seen(Path(known.backup), was.path.parent)
        if files.digest(copy.data) == known.before:
            return copy.text, ()
    return forms.undone(tool.place.form, was.text, known.changes)
