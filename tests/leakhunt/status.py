"""Cases that are written and wait for a feature: a feature that has landed leaves this table.

The report counts what waits, so that none of it is taken for tried.
"""

from typing import Final

# name -> what its cases need.
WAITING: Final[dict[str, str]] = {}


def waits(feature: str) -> bool:
    """Is this feature not there yet? "" is no feature."""
    return feature in WAITING
