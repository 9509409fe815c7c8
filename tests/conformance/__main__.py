"""`make conformance`: measure, and write the page."""

import asyncio
import sys
from pathlib import Path

from halfdoor.backends import guard
from tests.conformance import small
from tests.conformance.matrix import measure
from tests.conformance.page import page

PAGE = Path(__file__).parents[2] / "docs/reference/conformance.md"


def main() -> None:
    """Exit 1 if anything that should hold does not; the page is written all the same."""
    guard.install(testing=True)
    with guard.loopback_test_permit():
        found, beside = asyncio.run(measure()), asyncio.run(small.measure())
    PAGE.write_text(page(found, beside), encoding="utf-8")
    told = [*found.items(), *beside.items()]
    wrong = [f"{' '.join(key)}: {how}" for key, how in told if how.startswith("no")]
    sys.stdout.write("\n".join(wrong or [f"{len(told)} cells, all as they say"]) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
