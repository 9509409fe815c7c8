"""Shell scripts that their grammar cannot read: bash has the last word, and runs none of them."""

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Ran, RanStatus, Result, Run
from halfdoor.verify.base import skipped, unrun
from halfdoor.verify.grammars import Fault

NAME: Final = "shell"
# `-n` reads and runs nothing. The pattern forms of `extglob` are set by scripts that then use them.
_EACH: Final = 'for f; do bash -O extglob -n "./$f" || echo "$f"; done'
_SAID: Final = re.compile(r"^\./(\d+): line (\d+): (.*)$", re.MULTILINE)
_OURS: Final = frozenset({b"sh", b"bash", b"dash", b"ash"})
# They start what is named behind them.
_STARTERS: Final = frozenset({b"env", b"busybox"})


class Said(Struct, frozen=True):
    """faults: by path, of what bash cannot read. why: it was not asked, "" when it was."""

    faults: dict[str, tuple[Fault, ...]] = {}
    why: str = ""


def other(data: bytes) -> str:
    """The program that runs the script, where that is none that bash could stand in for; or ""."""
    first = data.partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return ""
    words = [word.rpartition(b"/")[2] for word in first[2:].split() if word[:1] != b"-"]
    names = [word for word in words if word not in _STARTERS and b"=" not in word] or [b"sh"]
    return "" if names[0] in _OURS else names[0].decode("ascii", "replace")


def asked(check: str, files: Mapping[str, bytes]) -> Generator[Run, Ran, Said | Result]:
    """Ask bash about all of them. `skipped` when it was there and did not come to its end."""
    names = {str(number): path for number, path in enumerate(files)}
    ran = yield Run(
        ("bash", "-c", _EACH, "bash", *names),
        "bash -n over changed shell files",
        {name: files[path] for name, path in names.items()},
        environment={"LC_ALL": "C"},
    )
    if ran.status is RanStatus.REFUSED:
        return Said(why=f"bash {ran.status.value}: {ran.why}")
    if trouble := unrun(check, ran, "bash"):
        return trouble
    if ran.code:
        return skipped(check, f"bash ended with {ran.code}")
    broken = [names[name] for name in ran.stdout.decode().split() if name in names]
    told = {names[name]: fault for name, fault in _told(ran.stderr) if name in names}
    nothing = Fault(1, 1, "bash cannot read it")
    return Said({path: (told.get(path, nothing),) for path in broken})


def _told(said: bytes) -> Iterator[tuple[str, Fault]]:
    """Last first, so that of several about one file the first is kept."""
    for found in reversed(_SAID.findall(said.decode("utf-8", "replace"))):
        yield found[0], Fault(int(found[1]), 1, found[2])
