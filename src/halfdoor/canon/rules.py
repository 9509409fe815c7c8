"""Rules, as the configuration states them and `decide` reads them."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

from halfdoor.canon.labels import Zone

# The label of rules that hold for every request, whatever is in it.
EVERY: Final = "*"


class Above(IntEnum):
    """What happens for targets wider than a rule's ceiling; ordered from strict to lenient.

    `review` and `redact` take their places between these when something produces them.
    """

    REFUSE = 0
    EXCLUDE = 1


class Require(Struct, frozen=True):
    """What a target beyond the device must state in its terms; what is left out is not asked for.

    regions: any of these. training: `never`. retention_days: at most.
    """

    regions: tuple[str, ...] = ()
    training: str = ""
    retention_days: int | None = None


class Rule(Struct, frozen=True):
    """The widest zone that unedited text with a label may reach, and on what terms.

    name: what refusals and the log call it; the label's own text unless the file names it.
    label: a label's name, exactly, or `*`.
    above: also what happens for a target that does not meet `require`.
    source: where it stands: `config.toml:14`, `.halfdoor.toml:3` or `default`.
    """

    name: str
    label: str
    ceiling: Zone
    above: Above = Above.EXCLUDE
    source: str = "default"
    require: Require | None = None
