"""Instead of whom a model answered, and why: as the log's two entries of an exchange say it."""

from halfdoor.canon.commands import FaultKind
from halfdoor.canon.record import Attempt, Decided, Outcome


def said(attempt: Attempt) -> str:
    """How a call failed, in a word."""
    return str(attempt.status) if attempt.result == FaultKind.STATUS else attempt.result


def instead_of(decided: Decided, outcome: Outcome) -> tuple[str, ...]:
    """`sonnet: budget team`, and so on; () where the first choice answered.

    In the words of `x-halfdoor-fallback`. Who was put aside, and was asked and failed all the same,
    is told by the failure.
    """
    tried = {each.model: said(each) for each in outcome.attempts[:-1]}
    told = [each for each in decided.instead_of if not each.startswith(_heads(outcome, tried))]
    return (*told, *(f"{name}: {why}" for name, why in tried.items() if name != outcome.model))


def _heads(outcome: Outcome, tried: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}: " for name in (outcome.model, *tried))
