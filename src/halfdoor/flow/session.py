"""A session's floor: what an answered request carried, all later ones of its session carry.

A session is the client's own id under the caller's token: nobody's id says anything of another
token's sessions. Without an id it is the conversation itself, as a chain: each message's print is
hashed with all before it. Only nodes behind a model's turn count, because beginnings are common.
"""

from typing import Final

from halfdoor.canon.commands import Floor
from halfdoor.canon.labels import Label
from halfdoor.canon.request import Actor, Request
from halfdoor.detect.survey import Found, Turn
from halfdoor.flow.weighing import Weighed
from halfdoor.reading.prints import Prints

_DERIVED: Final = "derived:"
_TURNS: Final = ("messages[", "input[")
# Labels of look-ups that failed say nothing of the session, and it is looked up again.
_PLACE: Final = "session"
_HICCUPS: Final = frozenset({"memory", _PLACE})


def marks(request: Request, actor: Actor, found: Found, prints: Prints) -> tuple[bytes, ...]:
    """The prints by which the session of a request may be known, in the order of its turns."""
    if request.session:
        return (prints.mark("session", f"{actor.token}\0{request.session}"),)
    return tuple(node for _, turn, node in _chain(actor, found, prints) if turn is not Turn.NONE)


def floor(weighed: Weighed, prints: Prints) -> Floor | None:
    """What an answered exchange leaves to its session; None when that is nothing.

    Labels that only the floor itself gave are not added to it again, or what is lifted while a
    request is under way would come back; the floor then lasts on, if it is still there.
    """
    lasting = _lasting(weighed)
    held = _hung(weighed, prints) if lasting else ()
    if not held:
        return None
    found = (label.name for label in lasting if label.place != _PLACE)
    names = {_DERIVED + name.removeprefix(_DERIVED) for name in found}
    actor = weighed.actor
    return Floor(held, tuple(sorted(names)), actor.token, actor.tool, actor.project)


def _lasting(weighed: Weighed) -> tuple[Label, ...]:
    return tuple(
        label
        for label in weighed.labels
        if not (label.name == "scan-failed" and label.place in _HICCUPS)
    )


def _hung(weighed: Weighed, prints: Prints) -> tuple[bytes, ...]:
    """Where the floor hangs: the session, or nodes of its conversation.

    The first is that of the first turn that nobody else can have had, so that the floor stays when
    the labelled message is dropped; the other that of the first labelled message.
    """
    request, actor, found = weighed.request, weighed.actor, weighed.found
    if request.session:
        return marks(request, actor, found, prints)
    chain = _chain(actor, found, prints)
    labelled = {label.place for label in _lasting(weighed)}
    own = [node for _, turn, node in chain if turn is Turn.OWN][:1]
    first = next((at for at, (place, _, _) in enumerate(chain) if place in labelled), len(chain))
    behind = [node for _, turn, node in chain[first:] if turn is not Turn.NONE][:1]
    return tuple(dict.fromkeys((*own, *behind)))


def _chain(actor: Actor, found: Found, prints: Prints) -> list[tuple[str, Turn, bytes]]:
    """(place, what the conversation had come to, node) of each message."""
    if found.texts is None or not any(found.turns):
        return []
    chain: list[tuple[str, Turn, bytes]] = []
    node, come = prints.mark("chain", actor.token), Turn.NONE
    for (place, key), turn in zip(found.texts.blocks, found.turns, strict=True):
        if place.startswith(_TURNS):
            node, come = prints.mark("chain", (node + key).hex()), max(come, turn)
            chain.append((place, come, node))
    return chain
