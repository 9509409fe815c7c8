"""What a process in a sandbox sees of this machine: programs and libraries, nothing personal.

HOME, /root, /run, /var, /srv, /mnt and all of /etc but a few files are simply not there.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_SYSTEM: Final = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
    "/System", "/Library/Developer", "/Library/Frameworks", "/opt/homebrew",
)  # fmt: skip
# None of them holds a secret; without them names, certificates, dates and libraries are not found.
_OF_ETC: Final = (
    "alternatives", "ca-certificates", "group", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "pki/tls/certs",
    "protocols", "services", "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip


class TooWide(ValueError):  # noqa: N818  a refusal, in the house's words
    """A path that may be shown would show a whole home directory."""


def system() -> list[str]:
    """What is shown to every process, as far as it exists here."""
    found = [path for path in _SYSTEM if Path(path).is_dir() and not Path(path).is_symlink()]
    return found + [f"/etc/{name}" for name in _OF_ETC if Path("/etc", name).exists()]


def links() -> list[tuple[str, str]]:
    """Those of the system's folders that are links on this machine (`/bin` to `usr/bin`)."""
    return [(path, str(Path(path).readlink())) for path in _SYSTEM if Path(path).is_symlink()]


def shown(wanted: Iterable[str], home: Path) -> list[tuple[str, str]]:
    """The system and `wanted`, parents first, each path once and where it is.

    Raises TooWide for a path that `home` lies in. What does not exist is left out.
    """
    paths = sorted({*system(), *_proper(wanted, home)}, key=lambda path: (path.count("/"), path))
    kept: list[str] = []
    for path in paths:
        if not any(path.startswith(f"{above}/") for above in kept):
            kept.append(path)
    return [(path, path) for path in kept]


def _proper(wanted: Iterable[str], home: Path) -> Iterator[str]:
    for path in wanted:
        real = Path(path).resolve()
        if home.resolve().is_relative_to(real):
            raise TooWide(f"{path} would be shown to the sandbox, and your home lies in it")
        if real.exists():
            yield os.path.normpath(path)


def needed(program: str) -> Iterator[str]:
    """What a program outside the system's folders cannot live without.

    Of a Python: its virtual environment, and the interpreter's folder behind it, by each of the
    names that links give it. Of anything else: the file.
    """
    for hop in _hops(Path(program)):
        folder = hop.parent.parent
        if str(hop).startswith(tuple(f"{path}/" for path in _SYSTEM)):
            continue
        if (folder / "pyvenv.cfg").is_file():
            yield str(folder)
            yield from _behind(folder / "pyvenv.cfg")
        elif _is_interpreter(folder):
            yield str(folder)
        else:
            yield str(hop)


def _hops(program: Path) -> Iterator[Path]:
    """The program, and each file that a link leads on to."""
    for _ in range(40):
        yield program
        if not program.is_symlink():
            break
        program = program.parent / program.readlink()
    yield program.resolve()


def _behind(config: Path) -> Iterator[str]:
    """The interpreter that a virtual environment was made from."""
    for line in config.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        folder = Path(value.strip()).parent
        if name.strip() == "home" and _is_interpreter(folder):
            yield from (str(folder), str(folder.resolve()))


def _is_interpreter(folder: Path) -> bool:
    return any(folder.glob("lib/python3*/os.py"))
