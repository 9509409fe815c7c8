"""What a route set in a request, for `why` and `explain`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from textwrap import shorten
from typing import Final

from halfdoor.canon.record import Chosen
from halfdoor.canon.routes import Route
from halfdoor.dialects.parameters import SYSTEM

# Of a system text, so many characters.
_SHOWN: Final = 72


def sets(choice: Chosen, systems: Mapping[str, str]) -> Iterator[str]:
    """What its route set. systems: the texts that the configuration has now, by keyed hash."""
    for each in choice.sets:
        kind, _, value = each.partition(" ")
        if kind != SYSTEM:
            yield each
        elif value in systems:
            text = " ".join(systems[value].split())
            yield f'system "{shorten(text, _SHOWN, placeholder=" …")}"'
        else:
            yield f"system text that is in the configuration no more (hash {value[:16]})"


def systems(routes: Iterable[Route], mac: Callable[[bytes], str]) -> dict[str, str]:
    """The texts that routes put before system text, by keyed hash."""
    texts = (route.parameters.system for route in routes)
    return {mac(text.encode()): text for text in texts if text}
