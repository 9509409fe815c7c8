"""`make bench-gate`: what `halfdoor gate` costs on a ten-file change, process start included.

The repository is this one's own source, 200 files of it; ten of them get a changed function, a new
import and a new line each. Printed: wall clock and CPU time of the whole process and its children.
"""

import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parents[1] / "src" / "halfdoor"
FILES: Final = 200
CHANGED: Final = 10
ROUNDS: Final = 20
AIM_MS: Final = 300
# Whose shell forbids Python to keep what it compiled would measure the compiler, 65 ms of it.
_ENVIRONMENT: Final = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
_ADDED: Final = """
import colorsys as colours_of_the_bench


def added_by_the_bench(red: float) -> object:
    return colours_of_the_bench.rgb_to_hsv(red, 0.0, 0.0)
"""


def main() -> None:
    """Measure, print, and leave nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _checkout(root)
        walls, cpus = zip(*(_once(root) for _ in range(ROUNDS)), strict=True)
    sys.stdout.write(
        f"{CHANGED} changed files of {FILES}, {ROUNDS} rounds, Python {platform.python_version()},"
        f" {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n"
        f"wall  median {statistics.median(walls):4.0f} ms   best {min(walls):4.0f} ms\n"
        f"CPU   median {statistics.median(cpus):4.0f} ms   best {min(cpus):4.0f} ms\n"
        f"aim   {AIM_MS} ms of wall clock on a quiet machine\n"
    )


def _checkout(root: Path) -> None:
    """A repository with a commit, and a change on top of it."""
    files = sorted(SOURCE.rglob("*.py"))[:FILES]
    for file in files:
        at = root / "src" / "halfdoor" / file.relative_to(SOURCE)
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, at)
    project = (SOURCE.parents[1] / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(project.partition("[tool.")[0])
    # Tools of the tests that lie beside halfdoor are no part of the default ladder.
    (root / ".halfdoor.toml").write_text('[gate]\noff = ["bandit", "semgrep", "types"]\n')
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        _git(root, *words)
    longest = sorted(files, key=lambda file: file.stat().st_size)[-60::6]
    for file in longest[:CHANGED]:
        at = root / "src" / "halfdoor" / file.relative_to(SOURCE)
        at.write_text(at.read_text() + _ADDED)


def _git(root: Path, *words: str) -> None:
    author = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    subprocess.run(["git", *author, *words], cwd=root, check=True)  # noqa: S603, S607  git itself


def _once(root: Path) -> tuple[float, float]:
    """(wall, CPU) of one run, in milliseconds. Raises when the gate does not pass."""
    program = Path(sys.executable).with_name("halfdoor")
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(  # noqa: S603  our own
        [program, "gate"], cwd=root, env=_ENVIRONMENT, capture_output=True, check=False
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        raise SystemExit(ran.stdout.decode() + ran.stderr.decode())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * wall, 1000 * cpu


if __name__ == "__main__":
    main()
