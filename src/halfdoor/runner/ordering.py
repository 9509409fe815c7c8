"""From what a check asks for to what a keeper is told: paths, environment, limits."""

from pathlib import Path
from typing import Final

from halfdoor.canon.checks import Run
from halfdoor.runner import bubblewrap, order, rungs, seatbelt, view
from halfdoor.runner.order import Order
from halfdoor.runner.programs import SEARCHED

# Without these, the same code gives other results on another machine or another day.
ALWAYS: Final = {
    "PATH": SEARCHED,
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_APART: Final = frozenset({order.BUBBLEWRAP, order.NAMESPACES})
# Where a run has no tree, or the rung has mounts, the working folder has this name inside.
_WORK: Final = f"{order.PRIVATE}/work"


def homely(private: str) -> dict[str, str]:
    """Where it may write, by each of the names that programs ask for.

    The C library takes TMPDIR from who runs as root on the Landlock rung, see `keeper.py`.
    """
    places = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), private)
    return places | {"HOME": f"{private}/home"}


def ordered(run: Run, rung: str, folder: Path, lent: list[str], program: str) -> Order:
    """The order. lent: folders of the tree that are shown where they belong, relative to it.

    Raises TooWide for what may not be shown.
    """
    apart = rung in _APART
    at = (run.at or run.tree or _WORK) if apart else str(folder / "work")
    private = order.PRIVATE if apart else str(folder / "tmp")
    tree = Path(run.tree)
    wanted = [*run.visible, *view.needed(program), *(str(tree / name) for name in lent)]
    shown = view.shown(wanted, Path.home())
    if apart:
        shown += [(str(tree / name), f"{at}/{name}") for name in lent if f"{tree}" != at]
    else:
        _link(lent, tree, folder)
    made = Order(
        rung,
        [program, *run.argv[1:]],
        [],
        ALWAYS | homely(private) | run.environment,
        str(folder),
        at,
        shown,
        view.links(),
        run.timeout_s,
        run.limits.cpu_s,
        run.limits.memory_bytes,
        run.limits.processes,
        run.limits.file_bytes,
        run.limits.disk_bytes,
    )
    return made._replace(wrapped=_wrapped(made))


def _wrapped(made: Order) -> list[str]:
    if made.rung == order.BUBBLEWRAP:
        return bubblewrap.arguments(rungs.bubblewrap(), made)
    return seatbelt.arguments(made) if made.rung == order.SEATBELT else []


def _link(lent: list[str], tree: Path, folder: Path) -> None:
    """Without mounts, a lent folder is a link to where it is."""
    for name in lent:
        (folder / "work" / name).symlink_to(tree / name)
