"""Releases that other people made, as changes: the gate has no reason to stop any of them.

Wheels of pure Python are fetched from the package index, which nothing else here does; nothing of
them is run.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile

from tests.gatecorpus.table import table

PAIRS: Final = (
    ("idna", "3.6", "3.7"), ("packaging", "24.0", "24.1"), ("click", "8.1.6", "8.1.7"),
    ("attrs", "23.1.0", "23.2.0"), ("requests", "2.31.0", "2.32.3"), ("urllib3", "2.1.0", "2.2.0"),
    ("jinja2", "3.1.3", "3.1.4"), ("werkzeug", "3.0.1", "3.0.2"), ("flask", "3.0.0", "3.0.2"),
    ("httpx", "0.26.0", "0.27.0"), ("platformdirs", "4.1.0", "4.2.0"), ("rich", "13.6.0", "13.7.0"),
)  # fmt: skip
_SECTION: Final = """
## Releases that other people made

Each is the difference of two wheels from the package index, judged by `halfdoor gate --diff` without
settings. 0 is passed; `pyodide` and `js` exist in a browser only, and a project that means them
says so in `allow_imports`.

"""
_GIT: Final = ("git", "-c", "user.name=corpus", "-c", "user.email=corpus@example.invalid")


def releases() -> Iterator[tuple[str, int, str]]:
    """(which, exit status of the gate, its last line and what it found) of each pair."""
    with TemporaryDirectory() as folder:
        for name, old, new in PAIRS:
            place = Path(folder, name)
            place.mkdir()
            _run(place, *_GIT, "init", "-q")
            for version in (old, new):
                _lay(place, _fetched(Path(folder), name, version))
                _run(place, *_GIT, "add", "-A")
                _run(place, *_GIT, "commit", "-q", "-m", version)
            done = subprocess.run(
                [sys.executable, "-m", "halfdoor", "gate", "--diff", "HEAD~1..HEAD"],
                cwd=place, capture_output=True, text=True, check=False,
            )  # fmt: skip
            codes = sorted(set(re.findall(r"\[(\w+ [\w-]+)\]$", done.stdout, re.MULTILINE)))
            yield f"{name} {old} to {new}", done.returncode, ", ".join(codes)


def main() -> None:
    """Print the section of the page."""
    sys.stdout.write(_SECTION)
    rows = ((name, str(code), found or "nothing") for name, code, found in releases())
    sys.stdout.write("\n".join(table(("release", "exit", "what stopped it"), rows)) + "\n")


def _run(place: Path, *argv: str) -> None:
    subprocess.run(argv, cwd=place, check=True)


def _fetched(folder: Path, name: str, version: str) -> Path:
    into = folder / f"{name}-{version}-wheel"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "download",
        "-q",
        "--no-deps",
    ]
    wanted = ["--only-binary", ":all:", "-d", str(into), f"{name}=={version}"]
    subprocess.run([*pip, *wanted], check=True, stderr=subprocess.DEVNULL)
    return next(into.glob("*.whl"))


def _lay(place: Path, wheel: Path) -> None:
    """The wheel's files in place of those before, and its dependencies as a manifest."""
    _run(place, "git", "rm", "-rqf", "--ignore-unmatch", ".")
    with ZipFile(wheel) as packed:
        for each in packed.namelist():
            if ".dist-info/" not in each:
                packed.extract(each, place)
            elif each.endswith("/METADATA"):
                found = re.findall(
                    r"^Requires-Dist: ([\w.-]+)", packed.read(each).decode(), re.MULTILINE
                )
                manifest = f'[project]\nname = "{place.name}"\ndependencies = {found!r}\n'
                (place / "pyproject.toml").write_text(manifest, "utf-8")


if __name__ == "__main__":
    main()
