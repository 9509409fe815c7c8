"""Memory, descriptors and threads of a process, and how they grow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Sample:
    """requests: so far. rss_kib: resident memory. Numbers are -1 where there is no /proc."""

    requests: int
    rss_kib: int
    descriptors: int
    threads: int


NONE: Final = Sample(0, -1, -1, -1)


def sample(pid: int, requests: int) -> Sample:
    """What the process holds now."""
    place = Path(f"/proc/{pid}")
    try:
        lines = (place / "status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        rss, threads = int(fields["VmRSS"].split()[0]), int(fields["Threads"])
        return Sample(requests, rss, len(list((place / "fd").iterdir())), threads)
    except (FileNotFoundError, KeyError):  # no /proc, or the process is gone
        return NONE


def slope(points: list[tuple[int, int]]) -> float:
    """Least squares: how much the second grows for each of the first."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
