"""Rules, as the configuration states them and `decide` reads them."""

from enum import IntEnum

from msgspec import Struct

from halfdoor.canon.labels import Zone


class Above(IntEnum):
    """What happens for targets wider than a rule's ceiling; ordered from strict to lenient.

    `review` and `redact` take their places between these when something produces them.
    """

    REFUSE = 0
    EXCLUDE = 1


class Rule(Struct, frozen=True):
    """The widest zone that unedited text with a label may reach.

    name: what refusals and the log call it; the label's own text unless the file names it.
    label: a label's name, exactly.
    source: where it stands: `config.toml:14`, `.halfdoor.toml:3` or `default`.
    """

    name: str
    label: str
    ceiling: Zone
    above: Above = Above.EXCLUDE
    source: str = "default"
