"""A session's floor: what an answered request carried, all later ones of its session carry.

A session is the client's own id under the caller's token: nobody's id says anything of another
token's sessions. Without an id it is the conversation itself, as a chain: each message's print is
hashed with all before it. Only nodes behind a model's turn count, because beginnings are common.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.commands import Floor
from halfdoor.canon.labels import DERIVED, Label
from halfdoor.canon.request import TURNS, Actor, Request
from halfdoor.detect.survey import Found, Turn
from halfdoor.flow.weighing import Weighed
from halfdoor.reading.prints import Prints

# Labels of look-ups that failed say nothing of the session, and it is looked up again.
_PLACE: Final = "session"
# Headers that tell the agents of one session apart.
_PARTS: Final = ("x-claude-code-agent-id", "x-claude-code-request-class", "thread-id")
# How many messages a turn may add, results of calls made at one time among them.
_TURNS_BACK: Final = 16
_HICCUPS: Final = frozenset({"memory", _PLACE})


class Session(Struct, frozen=True):
    """By what the session of one request is known; made once and asked twice.

    marks: its prints, in the order of its turns. chain: (place, what the conversation had come to,
    node) of each message; () where the client says which session it is.
    pins: by which an agent's part of it is known, under the model name that it asks for, the most
        telling first: sub-agents and titles share their session's id, and who asks for another
        model has chosen anew.
    """

    marks: tuple[bytes, ...]
    chain: tuple[tuple[str, Turn, bytes], ...] = ()
    pins: tuple[bytes, ...] = ()


def session(request: Request, actor: Actor, found: Found, prints: Prints) -> Session:
    """The session that a request says it is in, else its conversation as far as it has come."""
    if request.session:
        said = f"{actor.token}\0{request.session}"
        headers = dict(request.headers)
        part = "\0".join((said, request.model, *(headers.get(name, "") for name in _PARTS)))
        return Session((prints.mark("session", said),), pins=(prints.mark("pin", part),))
    chain = tuple(_chain(actor, found, prints))
    marks = tuple(node for _, turn, node in chain if turn is not Turn.NONE)
    return Session(marks, chain, tuple(_pins(request.model, marks, prints)))


def floor(weighed: Weighed, known: Session) -> Floor | None:
    """What an answered exchange leaves to its session; None when that is nothing.

    Labels that only the floor itself gave are not added to it again, or what is lifted while a
    request is under way would come back; the floor then lasts on, if it is still there.
    """
    lasting = _lasting(weighed)
    held = _hung(known, lasting) if lasting else ()
    if not held:
        return None
    found = (label.name for label in lasting if label.place != _PLACE)
    names = {DERIVED + name.removeprefix(DERIVED) for name in found}
    actor = weighed.actor
    return Floor(held, tuple(sorted(names)), actor.token, actor.tool, actor.project)


def _lasting(weighed: Weighed) -> tuple[Label, ...]:
    return tuple(
        label
        for label in weighed.labels
        if not (label.name == "scan-failed" and label.place in _HICCUPS)
    )


def _hung(known: Session, lasting: tuple[Label, ...]) -> tuple[bytes, ...]:
    """Where the floor hangs: the session, or nodes of its conversation.

    The first is that of the first turn that nobody else can have had, so that the floor stays when
    the labelled message is dropped; the other that of the first labelled message.
    """
    chain = known.chain
    if not chain:
        return known.marks
    labelled = {label.place for label in lasting}
    own = [node for _, turn, node in chain if turn is Turn.OWN][:1]
    first = next((at for at, (place, _, _) in enumerate(chain) if place in labelled), len(chain))
    behind = [node for _, turn, node in chain[first:] if turn is not Turn.NONE][:1]
    return tuple(dict.fromkeys((*own, *behind)))


def _pins(model: str, marks: tuple[bytes, ...], prints: Prints) -> Iterator[bytes]:
    asked = int.from_bytes(prints.mark("pin", model))
    for mark in marks[: -_TURNS_BACK - 1 : -1]:
        yield (int.from_bytes(mark) ^ asked).to_bytes(len(mark))


def _chain(actor: Actor, found: Found, prints: Prints) -> Iterator[tuple[str, Turn, bytes]]:
    if found.texts is None or not any(found.turns):
        return
    node, come = prints.mark("chain", actor.token), Turn.NONE
    for (place, key), turn in zip(found.texts.blocks, found.turns, strict=True):
        if place.startswith(TURNS):
            node, come = prints.mark("chain", (node + key).hex()), max(come, turn)
            yield place, come, node
