"""A decided request → the bytes for one target, and the pipe for its answer."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.cards import Fim
from halfdoor.canon.commands import Fault, FaultKind, Outbound, Pipe
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import UNSIGNED
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import (
    Asked,
    ChoiceMode,
    Conversation,
    Embed,
    Kind,
    Part,
    Request,
    ServerTool,
    Thinking,
)
from halfdoor.dialects.base import Dialect, Written
from halfdoor.dialects.sampling import refused, unsampled, younger
from halfdoor.dialects.withholding import SERVER_TOOL, cut_members, forced
from halfdoor.errors import BackendError, ClientError
from halfdoor.flow import replies, steering
from halfdoor.flow.holding import Held
from halfdoor.flow.house import House
from halfdoor.flow.pipe import through, translated
from halfdoor.flow.renaming import Renaming
from halfdoor.flow.repair import Repair, offered
from halfdoor.flow.weighing import Weighed
from halfdoor.reading.splice import apply

# What has no tools whose names another vendor may refuse.
_NOTHING_SAID: Final = Conversation(())
_REWRITTEN: Final = "answer-rewritten"
# What is left out for one model's sake, beside what its dialect cannot say.
LEFT_OUT: Final = frozenset({_REWRITTEN, "effort", "sampling"})
# Efforts as every model that takes one knows them.
_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high",
                   "xhigh": "high", "max": "high"}  # fmt: skip


class Prepared(Struct, frozen=True):
    """One target's request and pipe, or why they cannot be made.

    edits: kinds of splices, or `translated`, `tool-names` where some had to be made fit, and what
        the far dialect could not express; before them
        `decoded`, for a body that came packed and goes on plain, and `held`, for a stream that is
        let out when it is complete; behind them what a route set, see `flow/steering.py`.
    """

    target: Target
    outbound: Outbound | None
    pipe: Pipe | None
    edits: tuple[str, ...] = ()
    fault: Fault | None = None


def prepare(weighed: Weighed, target: Target, house: House) -> Prepared:
    """The request's own bytes with splices, or rendered in the target's dialect.

    Never raises for what a client sent: a request that cannot be translated faults this target.
    """
    near = house.dialects[weighed.request.dialect]
    far = house.dialects[target.dialect]
    try:
        if near is far and not _filled_otherwise(weighed.request, target):
            return _treated(_passed(weighed, target, near), weighed)
        return _treated(_translated(weighed, target, near, far), weighed)
    except ClientError as error:
        return Prepared(target, None, None, (), Fault(FaultKind.UNTRANSLATABLE, str(error)))
    except BackendError as error:
        return Prepared(target, None, None, (), Fault(FaultKind.PROTOCOL, str(error)))


def _treated(ready: Prepared, weighed: Weighed) -> Prepared:
    """What happens to a request and its answer whatever their dialects."""
    edits = ("decoded",) if weighed.request.packed else ()
    if weighed.held and ready.pipe is not None:
        return replace(ready, pipe=Held(ready.pipe), edits=(*edits, "held", *ready.edits))
    return replace(ready, edits=(*edits, *ready.edits)) if edits else ready


def _filled_otherwise(request: Request, target: Target) -> bool:
    """Does the backend fill in the middle in another way than its dialect has it?"""
    if request.kind is not Kind.COMPLETION:
        return False
    return target.fim is Fim.MISTRAL or (target.fim is Fim.INFILL and "suffix" in request.members)


def _passed(weighed: Weighed, target: Target, near: Dialect) -> Prepared:
    parameters = weighed.choice.parameters
    request, set_ = steering.in_its_bytes(weighed.request, parameters, target, near)
    own = bool(near.vendor) and target.vendor == near.vendor
    inside, gone = near.withheld(request, own=own, near=target.zone is not Zone.CLOUD)
    fixed = target.fixed_sampling
    edits = (
        *near.edits(
            request,
            model_id=target.model_id,
            max_output_tokens=target.max_output_tokens,
            drop_signatures=_foreign(weighed, target),
            context_tokens=target.context_tokens,
            strict=target.zone is Zone.CLOUD,
        ),
        *inside,
        *(younger(request) if fixed else ()),
        *cut_members(request, gone | (refused(request) if fixed else {})),
    )
    headers = near.outbound_headers(request, own=own)
    path = near.outbound_path(request)
    outbound = Outbound(path, headers, apply(request.body, edits), request.stream)
    texts, kinds = _labelled(weighed), _kinds(edits)
    lost = (SERVER_TOOL,) if SERVER_TOOL in kinds else ()
    repair = _read_again(weighed, target, near)
    if repair is None:
        about = replies.about(weighed, target, lost)
        pipe: Pipe = through(request, near, about, texts=texts)
        return Prepared(target, outbound, pipe, (*kinds, *set_))
    about = replies.about(weighed, target, (*lost, _REWRITTEN))
    pipe = translated(request, near, near, about, texts=texts, repair=repair)
    return Prepared(target, outbound, pipe, (*kinds, *_degraded((_REWRITTEN,)), *set_))


def _translated(weighed: Weighed, target: Target, near: Dialect, far: Dialect) -> Prepared:
    request = weighed.request
    asked = _answerable(near.asked(request))
    asked, forgotten = _forgetting(asked, _foreign(weighed, target))
    names = Renaming(asked if isinstance(asked, Conversation) else _NOTHING_SAID)
    said = names.told if names else asked
    told, set_ = steering.in_translation(said, weighed.choice.parameters, target, far)
    fitted, left_out = _fitted(told, target)
    written = _written(fitted, target, far)
    headers = far.outbound_headers(None)
    outbound = Outbound(written.path, headers, written.body, request.stream)
    lost = tuple(dict.fromkeys((*written.lost, *forgotten, *left_out)))
    about = replies.about(weighed, target, lost)
    repair = None if target.repair_tools is False else _repair(fitted)
    texts = _labelled(weighed)
    pipe: Pipe = translated(request, near, written, about, texts=texts, names=names, repair=repair)
    edits = ("translated", *(("tool-names",) if names else ()), *_degraded(lost))
    return Prepared(target, outbound, pipe, (*edits, *set_))


def _read_again(weighed: Weighed, target: Target, near: Dialect) -> Repair | None:
    """For a same-dialect answer; what cannot be read offers no tools, and its vendor words why."""
    request = weighed.request
    if not target.repair_tools or request.kind is not Kind.CHAT:
        return None
    try:
        return _repair(near.conversation(request))
    except ClientError:
        return None


def _repair(asked: Asked) -> Repair | None:
    """None where no call can be meant: no tools, or the answer is JSON that the tool asked for."""
    if not isinstance(asked, Conversation) or asked.options.response_schema:
        return None
    tools = offered(asked)
    return Repair(tools) if tools else None


def _labelled(weighed: Weighed) -> bool:
    """An answer's texts are only collected where a label must travel with them (promise 5)."""
    return bool(weighed.labels)


def _answerable(asked: Asked) -> Asked:
    """Raises ClientError where the model must call what only its vendor runs."""
    if not isinstance(asked, Conversation):
        return asked
    choice, tools = asked.tool_choice, asked.tools
    run = [tool for tool in tools if isinstance(tool, ServerTool)]
    if choice is not None and run:
        one = choice.mode is ChoiceMode.NAMED and choice.name in {tool.name for tool in run}
        if one or (choice.mode is ChoiceMode.REQUIRED and len(run) == len(tools)):
            raise forced()
    return asked


def _fitted(asked: Asked, target: Target) -> tuple[Asked, tuple[str, ...]]:
    """Keep the answer inside the model's limit; leave out what this model would refuse, by name.

    An effort that a tool states for its own vendor makes engines answer 400 for models that do
    not reason.
    """
    if isinstance(asked, Embed):
        return asked, ()
    options, left_out = asked.options, list[str]()
    if target.fixed_sampling:
        if unsampled(options) != replace(options, completion_limit=True):
            left_out.append("sampling")
        options = unsampled(options)
    effort = _effort(options.effort, target)
    if effort != options.effort:
        left_out.append("effort")
    limit, wanted = target.max_output_tokens, options.max_tokens
    if limit is not None and (wanted is None or wanted > limit):
        options = replace(options, max_tokens=limit)
    options = replace(options, effort=effort)
    return replace(asked, options=options), tuple(left_out)


def _written(asked: Asked, target: Target, far: Dialect) -> Written:
    """In the words of the target's dialect."""
    if not isinstance(asked, Conversation):
        return far.written(asked, target)
    body, lost = far.render(asked, target.model_id, target.context_tokens)
    return Written(far.outbound_path(None), body, lost, far.parser, far.events)


def _effort(asked: str, target: Target) -> str:
    """The nearest that the model takes. Engines know three; each vendor words more of its own."""
    if not asked or not target.effort:
        return ""
    if target.dialect == "anthropic_messages":
        return asked  # its rendering knows its words
    return _EFFORTS.get(asked, "")


def _foreign(weighed: Weighed, target: Target) -> frozenset[str]:
    """Thinking seals that this target's vendor did not make.

    Thinking without a seal is its maker's own, and goes back to it only inside a tool loop; to a
    vendor only if nobody has sealed any here: who seals seals all, so the rest is another's. What
    halfdoor itself marked as unsealed was made in another dialect.
    """
    origins, own = weighed.scene.origins, weighed.scene.latched == target.name
    if target.zone is Zone.CLOUD:
        own = own and not origins
    return frozenset(
        seal
        for mark, seal in weighed.found.signatures
        if seal == UNSIGNED
        or (not seal and not own)
        or origins.get(mark, target.vendor) != target.vendor
    )


def _forgetting(asked: Asked, foreign: frozenset[str]) -> tuple[Asked, tuple[str, ...]]:
    """Without thinking that another vendor sealed: a vendor refuses a seal that is not its own."""

    def kept(part: Part) -> bool:
        seal = (part.signature or part.redacted) if isinstance(part, Thinking) else ""
        return not seal or seal not in foreign

    if not isinstance(asked, Conversation) or all(
        kept(part) for message in asked.messages for part in message.parts
    ):
        return asked, ()
    messages = (replace(m, parts=tuple(filter(kept, m.parts))) for m in asked.messages)
    told = replace(asked, messages=tuple(m for m in messages if m.parts))
    return told, ("thinking",)


def _degraded(lost: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"degraded:{name}" for name in lost)


def _kinds(edits: Iterable[Edit]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(edit.kind for edit in edits))
