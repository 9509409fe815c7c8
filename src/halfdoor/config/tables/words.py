"""What fields of several tables are made of."""

from typing import Annotated, Final, Literal

from msgspec import Meta

ZoneName = Literal["device", "network", "cloud"]

# Names travel in headers, the log and the command line: no spaces, no globs, no control characters.
NAME: Final = r"^[A-Za-z0-9._/][A-Za-z0-9._:/@+=,-]{0,199}$"
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
REGION: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Days = Annotated[int, Meta(ge=0, le=36_500)]


def about(description: str) -> Meta:
    """The one sentence that the reference page and an editor show for a field."""
    return Meta(description=description)
