"""Named bundles of configuration, as `halfdoor init --preset` writes them."""

from typing import Final

from msgspec import Struct

from halfdoor.config.tables.routes import StrategyName


class Preset(Struct, frozen=True):
    """One bundle. said: a sentence for a person. tables: TOML below `[routing]`.

    keys: whether providers whose keys are in the environment are written into the file.
    """

    name: str
    said: str
    strategy: StrategyName
    tables: str = ""
    keys: bool = True


_PRIVATE: Final = """\
[[rules]]
name = "no-cloud"
label = "*"
ceiling = "network"
"""

_BALANCED: Final = """\
# Titles, commit messages and the like are made near, where a near model may answer.
[[routes]]
name = "side-work-near"
match = { agent = ["auxiliary"] }
strategy = "local_first"

[[routes]]
name = "short-work-near"
match = { task = ["title", "commit", "summary", "log"], context_under = 8000 }
strategy = "local_first"
"""

_FRUGAL: Final = """\
# What a person asks for that is hard goes to the model that was asked for; all else to the cheapest
# that may answer. A model on this device costs nothing, so it comes first there.
[[routes]]
name = "hard-work"
match = { agent = ["main"], task = ["design", "review", "fix", "implement", "convert"] }
strategy = "prefer"
"""

_STUDY: Final = """\
[[rules]]
name = "this-device-only"
label = "*"
ceiling = "device"
"""

PRESETS: Final[dict[str, Preset]] = {
    preset.name: preset
    for preset in (
        Preset(
            "private",
            "Nothing goes to a cloud; near models answer, the nearest first.",
            "local_first",
            _PRIVATE,
            keys=False,
        ),
        Preset(
            "balanced",
            "The model that was asked for answers; side work and short work is done near.",
            "prefer",
            _BALANCED,
        ),
        Preset(
            "frugal",
            "Hard work goes where it was asked to go, all else to the cheapest.",
            "cheapest",
            _FRUGAL,
        ),
        Preset("quality", "Cloud models first, near ones when they must.", "cloud_first"),
        Preset(
            "study",
            "No account and no key: only what runs on this device.",
            "local_first",
            _STUDY,
            keys=False,
        ),
    )
}
