"""Cases that are written and wait for a feature: a feature that has landed leaves this table.

The report counts what waits, so that none of it is taken for tried.
"""

from typing import Final

# name -> what its cases need.
WAITING: Final[dict[str, str]] = {
    "titles": "a document's title counts as its path (tool effects)",
    "derived": "a part of an answer, or one inside other text, is recognised (labels follow text)",
    "floor": "a session keeps the labels of what it held (session floor)",
    "adjacent": "a key cut in two by the parts of one message is put together (passages)",
    "quoted calls": "a path in a call that is quoted as JSON in JSON inside a text (tool effects)",
    "pasted": "text of a file under a rule is recognised without its name (labels follow text)",
}


def waits(feature: str) -> bool:
    """Is this feature not there yet? "" is no feature."""
    return feature in WAITING
