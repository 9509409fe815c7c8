"""`make conformance`: measure, and write the page."""

import asyncio
import sys
from pathlib import Path

from halfdoor.backends import guard
from tests.conformance.matrix import measure
from tests.conformance.page import page

PAGE = Path(__file__).parents[2] / "docs/reference/conformance.md"


def main() -> None:
    """Exit 1 if anything that should hold does not; the page is written all the same."""
    guard.install(testing=True)
    with guard.loopback_test_permit():
        found = asyncio.run(measure())
    PAGE.write_text(page(found), encoding="utf-8")
    wrong = [f"{' '.join(key)}: {told}" for key, told in found.items() if told.startswith("no")]
    sys.stdout.write("\n".join(wrong) + "\n" if wrong else f"{len(found)} cells, all as they say\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
