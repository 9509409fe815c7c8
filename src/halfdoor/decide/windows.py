"""A window that a request cannot fit: the model is left out of the plan, and nothing is cut off."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.decision import Target, Unfit
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Kind, Request
from halfdoor.decide.names import AS_ASKED
from halfdoor.reading.tokens import Prompt, Size

# By backend and model id, see `Scene.windows`.
Windows = Mapping[tuple[str, str], int]

# A prompt that leaves less than this for an answer does not fit.
ANSWER_TOKENS: Final = 256
# An answer is not clamped below this: the estimate may be wrong, and the engine then says so.
ROOM_TOKENS: Final = 1024
# What is one prompt; several texts to embed are not.
_PROMPTS: Final = frozenset({Kind.CHAT, Kind.COMPLETION})


class Fitted(Struct, frozen=True):
    """Targets whose window takes the request, with that window, and those whose does not.

    of: the request's size, None for what is no prompt.
    """

    targets: tuple[Target, ...]
    unfit: tuple[Unfit, ...] = ()
    of: Size | None = None


def fitted(
    request: Request,
    targets: Iterable[Target],
    windows: Windows,
    prompt: Prompt,
) -> Fitted:
    """Keep what fits, in order. A window that nobody knows takes everything: its engine will say.

    INVARIANT: targets only ever leave.
    """
    if request.kind not in _PROMPTS:
        return Fitted(tuple(targets))
    fit: list[Target] = []
    unfit: list[Unfit] = []
    for target in targets:
        window = window_of(target, request, windows)
        if window is None:
            fit.append(target)
            continue
        expected = prompt.expected(target.name)
        least = prompt.least(target.name)
        if least + answer_tokens(request, ANSWER_TOKENS) > window:
            unfit.append(Unfit(target.name, target.zone, max(expected, window + 1), window))
        else:
            fit.append(_clamped(target, request, window, window - expected))
    return Fitted(tuple(fit), tuple(unfit), prompt.of)


def answer_tokens(request: Request, most: int) -> int:
    """What it asks for, up to `most`; a limit that is not positive is none, as engines take it."""
    asked = request.max_tokens
    return min(most, asked) if asked and asked > 0 else most


def window_of(target: Target, request: Request, windows: Windows) -> int | None:
    """What the request asks its own engine for, else what is configured, else what is loaded."""
    if request.context_tokens is not None and request.dialect == target.dialect:
        return request.context_tokens
    if target.context_tokens is not None:
        return target.context_tokens
    backend = target.backend
    return windows.get((backend, target.model_id)) or windows.get((backend, AS_ASKED))


def _clamped(target: Target, request: Request, window: int, left: int) -> Target:
    """A near engine refuses, or forgets, what prompt and answer together have too much.

    A vendor judges that itself, by its own count.
    """
    target = replace(target, context_tokens=window)
    room = max(left, ROOM_TOKENS)
    asked, limit = request.max_tokens or 0, target.max_output_tokens
    if target.zone is Zone.CLOUD or asked <= room or (limit is not None and limit <= room):
        return target
    return replace(target, max_output_tokens=room)
