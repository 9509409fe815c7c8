"""The profile of macOS's `sandbox-exec` for one order. Pure.

It was written from Apple's own profiles and has not been run by us.
"""

import json
from collections.abc import Iterator
from typing import Final

from halfdoor.runner.order import Order

PROGRAM: Final = "/usr/bin/sandbox-exec"
_ALWAYS: Final = """\
(version 1)
(deny default)
(allow process-fork)
(allow process-exec)
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow file-read* (literal "/") (literal "/dev/null") (literal "/dev/zero")
  (literal "/dev/random") (literal "/dev/urandom"))
(allow file-write-data (literal "/dev/null") (literal "/dev/zero"))
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(deny network*)
"""


def profile(order: Order) -> str:
    """Reads what is shown, writes to its own folders, and talks to nobody."""
    return _ALWAYS + "\n".join(_paths(order)) + "\n"


def arguments(order: Order) -> list[str]:
    """The whole command."""
    return [PROGRAM, "-p", profile(order), *order.argv]


def _paths(order: Order) -> Iterator[str]:
    for outside, _ in order.shown:
        yield f"(allow file-read* (subpath {json.dumps(outside)}))"
    for folder in ("work", "tmp"):
        yield f"(allow file-read* file-write* (subpath {json.dumps(f'{order.scratch}/{folder}')}))"
