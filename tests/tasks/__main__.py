"""`make tasks`: read the labelled requests, and write the page."""

import sys

from tests.tasks.table import PAGE, SETS, labelled, page, right


def main() -> None:
    """Write docs/reference/task-types.md and say what it says."""
    PAGE.write_text(page(), encoding="utf-8")
    for name in SETS:
        sys.stdout.write(f"{name}: {right(name)[0]} of {len(labelled(name))} tasks as labelled\n")


if __name__ == "__main__":
    main()
