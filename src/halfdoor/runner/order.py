"""What a keeper is told to start, as one line of JSON."""

import json
from typing import Final, NamedTuple

BUBBLEWRAP: Final = "bubblewrap"
NAMESPACES: Final = "namespaces"
LANDLOCK: Final = "landlock"
SEATBELT: Final = "sandbox-exec"
UNSAFE: Final = "none"
# Where a rung has a file system of its own, this is private memory; elsewhere a folder is.
PRIVATE: Final = "/tmp"  # noqa: S108  the sandbox's own
NO_PRIVILEGE: Final = "could not set the sandbox up: "


class Order(NamedTuple):
    """One process in one rung of the ladder. All paths are absolute.

    rung: one of the names above. argv: its program as it is called inside.
    wrapped: what is executed in place of `argv` where another program makes the sandbox; () else.
    scratch: a folder of this run alone, with `work`, `tmp` and `root` in it.
    at: where `scratch/work` is seen inside; the process starts there.
    shown: (outside, inside) that are readable; parents before what lies in them.
    links: (place, target) of symbolic links of the inner root.
    """

    rung: str
    argv: list[str]
    wrapped: list[str]
    environment: dict[str, str]
    scratch: str
    at: str
    shown: list[tuple[str, str]]
    links: list[tuple[str, str]]
    timeout_s: float
    cpu_s: int
    memory_bytes: int
    processes: int
    file_bytes: int
    disk_bytes: int

    def line(self) -> bytes:
        """As the keeper reads it."""
        return json.dumps(self).encode() + b"\n"


def read(line: bytes) -> Order:
    """The order in a line. Raises ValueError or TypeError for anything else."""
    order = Order(*json.loads(line))
    return order._replace(shown=_pairs(order.shown), links=_pairs(order.links))


def _pairs(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(outside, inside) for outside, inside in found]


class Report(NamedTuple):
    """How it ended, as the keeper says it. end: a `RanStatus`; code: the exit status or -1."""

    end: str
    code: int = -1
    why: str = ""

    def line(self) -> bytes:
        """As the runner reads it."""
        return json.dumps(self).encode() + b"\n"


def reported(line: bytes) -> Report | None:
    """The report in a line, None for what is none."""
    try:
        end, code, why = json.loads(line)
    except (ValueError, TypeError):
        return None
    return Report(str(end), int(code), str(why))
