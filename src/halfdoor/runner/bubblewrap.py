"""The arguments of bubblewrap for one order. Pure."""

from collections.abc import Iterator
from typing import Final

from halfdoor.runner.order import PRIVATE, Order

# Asked for by version 0.6 (2022) and later. `FILTER` stands for a descriptor, see `keeper.py`.
_ALWAYS: Final = (
    "--unshare-all --unshare-user --die-with-parent --new-session --cap-drop ALL --clearenv"
    " --seccomp FILTER --proc /proc --dev /dev"
)


def arguments(program: str, order: Order) -> list[str]:
    """program: where bubblewrap is."""
    return [program, *_ALWAYS.split(), *_view(order), "--chdir", order.at, *_world(order)]


def _view(order: Order) -> Iterator[str]:
    size = str(order.disk_bytes)
    for place in (PRIVATE, "/dev/shm"):  # noqa: S108  the inner root's own
        yield from ("--size", size, "--tmpfs", place)
    yield from ("--dir", f"{PRIVATE}/home")
    within = f"{order.at}/"
    for outside, inside in order.shown:
        if not inside.startswith(within):
            yield from ("--ro-bind", outside, inside)
    yield from ("--bind", f"{order.scratch}/work", order.at)
    for outside, inside in order.shown:
        if inside.startswith(within):
            yield from ("--ro-bind", outside, inside)
    for place, target in order.links:
        yield from ("--symlink", target, place)
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _world(order: Order) -> Iterator[str]:
    for name, value in order.environment.items():
        yield from ("--setenv", name, value)
    yield from ("--", *order.argv)
