"""What a route sets in a request on its way to one target, and what of it found no place there."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from halfdoor.canon.decision import Target
from halfdoor.canon.request import Asked, Conversation, Embed, Message, Request, Role, Text
from halfdoor.canon.routes import NO_PARAMETERS, Parameters
from halfdoor.dialects.base import Dialect
from halfdoor.dialects.parameters import KINDS, SEED, SYSTEM, splices, wanted
from halfdoor.reading.splice import apply

T = TypeVar("T")

NOT_SET: Final = "not-set:"


def in_its_bytes(
    request: Request, parameters: Parameters, target: Target, near: Dialect
) -> tuple[Request, tuple[str, ...]]:
    """The request as if its tool had said so, and a name for each parameter.

    The names are those of `dialects.parameters.KINDS`, behind NOT_SET for what could not be set.
    """
    if parameters == NO_PARAMETERS:
        return request, ()
    edits = splices(request, _taken(parameters, target), near.places)
    body = apply(request.body, edits)
    told = near.read(request.endpoint, request.headers, request.query, body)
    kinds = {edit.kind for edit in edits}
    return replace(request, body=told.body, blocks=told.blocks, members=told.members), _names(
        parameters, kinds
    )


def in_translation(
    asked: Asked, parameters: Parameters, target: Target, far: Dialect
) -> tuple[Asked, tuple[str, ...]]:
    """The same for what is asked in another dialect, whose renderer names what else it cannot say.

    Text to be gone on with has no place for system text, nor everywhere one for a seed.
    """
    if parameters == NO_PARAMETERS or isinstance(asked, Embed):
        return asked, _names(parameters, set())
    taken, stated = _taken(parameters, target), asked.options
    options = replace(
        stated,
        temperature=_either(taken.temperature, stated.temperature),
        top_p=_either(taken.top_p, stated.top_p),
        seed=_either(taken.seed, stated.seed),
        stop=taken.stop or stated.stop,
    )
    kinds = set(wanted(taken)) - (set() if far.places.seed else {SEED})
    if not isinstance(asked, Conversation):
        return replace(asked, options=options), _names(parameters, kinds - {SYSTEM, SEED})
    told = (Message(Role.SYSTEM, (Text(taken.system),)),) if taken.system else ()
    return replace(asked, options=options, messages=(*told, *asked.messages)), _names(
        parameters, kinds
    )


def stated(parameters: Parameters, mac: Callable[[bytes], str]) -> tuple[str, ...]:
    """What a route sets, for the log: values as configured, of system text a keyed hash."""
    if parameters == NO_PARAMETERS:
        return ()
    stop = msgspec.json.encode(parameters.stop).decode()
    hashed = mac(parameters.system.encode()) if parameters.system else ""
    numbers = (parameters.temperature, parameters.top_p, parameters.seed)
    values = dict(zip(KINDS, (*numbers, stop, hashed), strict=True))
    return tuple(f"{kind} {values[kind]}" for kind in wanted(parameters))


def _taken(parameters: Parameters, target: Target) -> Parameters:
    """A model that refuses sampling settings, `stop` among them, gets none, whoever states them."""
    if target.fixed_sampling:
        return replace(parameters, temperature=None, top_p=None, stop=())
    return parameters


def _either(ours: T | None, theirs: T | None) -> T | None:
    return theirs if ours is None else ours


def _names(parameters: Parameters, kinds: set[str]) -> tuple[str, ...]:
    return tuple(kind if kind in kinds else f"{NOT_SET}{kind}" for kind in wanted(parameters))
