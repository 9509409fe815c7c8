"""What the client hears when no backend's answer reached it, in its own dialect's shape."""

from typing import Final

import msgspec

from halfdoor.canon.commands import REFUSALS, Fault, FaultKind, Headers, Learnt, Reply, Unrecorded
from halfdoor.canon.decision import Exclusion, Target
from halfdoor.canon.record import Attempt
from halfdoor.decide.budgets import BUDGET
from halfdoor.decide.plans import PLAN
from halfdoor.dialects.overlong import Overlong, overlong, worded
from halfdoor.errors import HalfdoorError
from halfdoor.flow.house import House
from halfdoor.flow.pipe import kept_headers
from halfdoor.flow.weighing import Weighed
from halfdoor.reading.tokens import Prompt

NOTHING: Final = Learnt()

_JSON: Final = ("content-type", "application/json")
# Clients multiply a failing turn by up to thirty; this stops those that listen.
_NO_RETRY: Final = ("x-should-retry", "false")
# What a caller or an operator must mend is a 400: on a 5xx tools ask again, up to thirty times.
_STATUSES: Final = {
    FaultKind.TIMEOUT: 504,
    FaultKind.ZONE: 400,
    FaultKind.CREDENTIALS: 400,
    FaultKind.UNTRANSLATABLE: 400,
    FaultKind.BUDGET: 400,
}
# Codex heeds no `x-should-retry`: one failing turn is thirty requests on any 5xx, and one on a 429
# without `retry-after` or on a 400, of which only the last shows its words (measured, see
# docs/reference/clients.md). A 503 that says it is overloaded is five.
_CODEX: Final = "codex"
_OVERLOADED: Final = "server_is_overloaded"
_MENDED: Final = frozenset({FaultKind.CONNECT, FaultKind.TLS, FaultKind.PROTOCOL})
# With one of these a backend has said itself whether and when to come back.
_RETRY_WORDS: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})


def about(weighed: Weighed, target: Target | None, lost: tuple[str, ...] = ()) -> Headers:
    """The headers that say who answered and why; on every answer and every refusal.

    lost: what the target's dialect could not express of the request; told only where there is any.
    """
    return (
        ("x-halfdoor-id", weighed.scene.id),
        ("x-halfdoor-model", target.name if target else "none"),
        ("x-halfdoor-zone", target.zone.name.lower() if target else "none"),
        ("x-halfdoor-rule", weighed.verdict.rule or "none"),
        *((("x-halfdoor-degraded", ", ".join(lost)),) if lost else ()),
        *((("x-halfdoor-budget", weighed.budget),) if weighed.budget else ()),
        *((("x-halfdoor-plan", plan),) if (plan := _plan(weighed, target)) else ()),
        *((("x-halfdoor-fallback", over),) if (over := _instead_of(weighed, target)) else ()),
    )


def _plan(weighed: Weighed, target: Target | None) -> str:
    """The flat plan that covers a target, and how full it was when the request came."""
    return weighed.plans.get(target.name, "") if target else ""


def _instead_of(weighed: Weighed, target: Target | None) -> str:
    """Who would rather have answered than this target, and why they did not."""
    told = weighed.instead_of(target) if target else ()
    return ", ".join(f"{name}: {said}" for name, said in told)


def refused(weighed: Weighed, house: House) -> Reply:
    """A rule, or an explicit choice it forbids: always 400, the one status no client retries."""
    if weighed.tired:
        return _given_up(weighed, house, f"{_failing(weighed.scene.failed)} a moment ago")
    if weighed.unfit:
        return _too_long(weighed, house)
    verdict = weighed.verdict
    error = HalfdoorError(verdict.refusal, hint=verdict.hint)
    return _worded(weighed, house, 400, "halfdoor_refused", str(error))


def _too_long(weighed: Weighed, house: House) -> Reply:
    """In the words by which the caller's tool knows that it must shorten its conversation."""
    dialect = house.dialects[weighed.request.dialect]
    widest = max(weighed.unfit, key=lambda unfit: unfit.window)
    body = dialect.overflow(widest.tokens, widest.window, f"halfdoor: {_too_long_why(weighed)}")
    return Reply(400, (_JSON, _NO_RETRY, *about(weighed, None)), body)


def _too_long_why(weighed: Weighed) -> str:
    said = ", ".join(f"`{unfit.target}` {unfit.window}" for unfit in weighed.unfit)
    text = f"nothing was sent; the prompt is estimated, and the windows are, in tokens: {said}"
    hint = "shorten or compact the conversation, or load the model with a larger window"
    if held := weighed.verdict.excluded:
        text += f"; {_keeps(held[0])} it from `{held[0].target}`"
    return f"{text}; hint: {hint}"


def counted(weighed: Weighed, house: House) -> Reply:
    """An estimate of the request's tokens; the shape is Anthropic's and OpenAI's in one."""
    pin = weighed.scene.pin
    prompt = Prompt(house.scales, weighed.request.session, weighed.found.size)
    tokens = prompt.expected(pin.model if pin else "")
    told = {"object": "response.input_tokens", "input_tokens": tokens}
    return Reply(200, (_JSON, *about(weighed, None)), msgspec.json.encode(told))


def unrecorded(weighed: Weighed, house: House, why: Unrecorded) -> Reply:
    """No evidence, no service."""
    text = f"nothing was sent, because the decision could not be recorded: {why.reason}"
    status = 400 if weighed.actor.tool == _CODEX else 503
    return _worded(weighed, house, status, "halfdoor_log_unavailable", text)


def failed(weighed: Weighed, house: House, attempts: tuple[Attempt, ...], fault: Fault) -> Reply:
    """Every permitted target failed before a byte reached the client."""
    target = weighed.targets[len(attempts) - 1]
    if fault.kind is FaultKind.STOPPED:
        status = _soothed(weighed, 503)
        return _worded(weighed, house, status, "halfdoor_stopping", fault.message, target)
    if fault.kind is FaultKind.BUSY:
        # Whoever may not go elsewhere can wait: the queue itself says how long.
        return _busy(weighed, house, fault, target)
    long = overlong(fault.status, fault.body)
    if long is not None:
        return _overlong(weighed, house, target, fault, long)
    excluded = weighed.verdict.excluded
    if excluded:
        held = excluded[0]
        text = (
            f"no permitted model could answer ({_tried(attempts)}: {fault.message}), and "
            f"{_keeps(held)} this request from `{held.target}` in zone "
            f"`{held.zone.name.lower()}`; hint: mend the permitted model (`halfdoor doctor`), or "
            f"{_otherwise(held)}"
        )
        return _worded(weighed, house, 400, "halfdoor_no_permitted_model", text, target)
    if fault.kind in REFUSALS:
        return _passed_on(weighed, house, target, fault)
    status = _STATUSES.get(fault.kind, 502)
    if fault.kind in _MENDED and weighed.actor.tool == _CODEX:
        status = 400  # asking again mends nothing, and the words say what does
    status = _soothed(weighed, status)
    text = f"{_tried(attempts)}: {fault.message}"
    return _worded(weighed, house, status, f"halfdoor_{fault.kind.value}", text, target)


def given_up(weighed: Weighed, house: House, attempts: tuple[Attempt, ...], fault: Fault) -> Reply:
    """The turn has been tried as often as it is: a 400, at which every tool stops."""
    target = weighed.targets[len(attempts) - 1]
    if weighed.verdict.excluded:
        return failed(weighed, house, attempts, fault)  # a 400, too, which names the rule
    if fault.kind is FaultKind.QUOTA or (
        fault.kind is FaultKind.STATUS and fault.status in {401, 403, 404}
    ):
        return failed(weighed, house, attempts, fault)  # tools have words of their own for these
    _, message = house.dialects[target.dialect].error_text(fault.body)
    said = f"{fault.message}: {message}" if message else fault.message
    return _given_up(weighed, house, f"{_tried(attempts)}: {said}", target)


def _failing(models: tuple[str, ...]) -> str:
    """Who failed a turn, each once; a model stands there for each of its calls."""
    names = dict.fromkeys(models)
    twice = " twice" if len(models) > len(names) == 1 else ""
    return f"{', '.join(f'`{name}`' for name in names)} failed it{twice}"


def _given_up(weighed: Weighed, house: House, what: str, target: Target | None = None) -> Reply:
    held = weighed.verdict.excluded
    rule = f", and {_keeps(held[0])} it from `{held[0].target}`" if held else ""
    text = f"{what}{rule}; nobody is asked again for this turn; hint: try again in half a minute"
    return _worded(weighed, house, 400, "halfdoor_given_up", text, target)


def _busy(weighed: Weighed, house: House, fault: Fault, target: Target) -> Reply:
    dialect = house.dialects[weighed.request.dialect]
    headers = (_JSON, *fault.headers, *about(weighed, target))
    return Reply(429, headers, dialect.error(429, "halfdoor_busy", f"halfdoor: {fault.message}"))


def _overlong(
    weighed: Weighed, house: House, target: Target, fault: Fault, long: Overlong
) -> Reply:
    """A backend's "too long", in the words by which the caller's tool knows that it must shorten.

    Also where a rule held the request back: the caller can mend the one, not the other.
    """
    near, far = house.dialects[weighed.request.dialect], house.dialects[target.dialect]
    headers = (_JSON, *_passed_headers(weighed, target, fault))
    if near is far and worded(fault.body, long, near.name):
        return Reply(fault.status, headers, fault.body)
    why = f"halfdoor: so says backend `{target.backend}`: {long.message}"
    if held := weighed.verdict.excluded:
        why += f"; {_keeps(held[0])} it from `{held[0].target}`"
    return Reply(400, headers, near.overflow(long.tokens, long.window, why))


def _keeps(held: Exclusion) -> str:
    if held.label == BUDGET:
        return f"budget `{held.rule}` keeps"
    if held.label == PLAN:
        return f"plan `{held.rule}`, which has no room left, keeps"
    return f"rule `{held.rule}` (label `{held.label}`) keeps"


def _otherwise(held: Exclusion) -> str:
    if held.label == BUDGET:
        return "raise its limit in [[budgets]]"
    if held.label == PLAN:
        return "change its `beyond` in [[plans]]"
    return "take what the label names out of the request"


def _passed_on(weighed: Weighed, house: House, target: Target, fault: Fault) -> Reply:
    """A backend's own error: unmodified in the same dialect (clients match its wording)."""
    near, far = house.dialects[weighed.request.dialect], house.dialects[target.dialect]
    headers = _passed_headers(weighed, target, fault)
    if _key_refused(fault) and not target.client_credentials:
        # The key is halfdoor's own: a caller cannot mend it, and would retry a 401 eleven times.
        text = f"backend `{target.backend}` refused halfdoor's key ({fault.status})"
        hint = "check its `key` in the config and the environment, then `halfdoor doctor`"
        body = near.error(400, "halfdoor_credentials", f"halfdoor: {text}; hint: {hint}")
        return Reply(400, (_JSON, _NO_RETRY, *about(weighed, target)), body)
    code, message = far.error_text(fault.body)
    status = fault.status if code == _OVERLOADED else _soothed(weighed, fault.status)
    if near is far and fault.body:
        return Reply(status, (_JSON, *headers), fault.body)
    body = near.error(
        fault.status, code or "upstream_error", message or f"backend answered {fault.status}"
    )
    return Reply(status, (_JSON, *headers), body)


def _key_refused(fault: Fault) -> bool:
    return fault.kind is FaultKind.STATUS and fault.status in {401, 403}


def _passed_headers(weighed: Weighed, target: Target, fault: Fault) -> Headers:
    kept = kept_headers(fault.headers)
    return (*kept, *_patience(kept), *about(weighed, target))


def _soothed(weighed: Weighed, status: int) -> int:
    """A status for trouble that may pass, at which the caller stops."""
    return 429 if status >= 500 and weighed.actor.tool == _CODEX else status


def _patience(kept: Headers) -> Headers:
    """A backend's own word on coming back stands; where it said none, one turn is one request."""
    return () if any(name in _RETRY_WORDS for name, _ in kept) else (_NO_RETRY,)


def _tried(attempts: tuple[Attempt, ...]) -> str:
    return "tried " + ", ".join(f"`{attempt.model}`" for attempt in attempts)


def _worded(
    weighed: Weighed,
    house: House,
    status: int,
    code: str,
    text: str,
    target: Target | None = None,
) -> Reply:
    dialect = house.dialects[weighed.request.dialect]
    headers = (_JSON, _NO_RETRY, *about(weighed, target))
    return Reply(status, headers, dialect.error(status, code, f"halfdoor: {text}"))
