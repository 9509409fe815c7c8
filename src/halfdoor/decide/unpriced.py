"""Models without a price under a budget: said at the start, before one of them costs something."""

from collections.abc import Iterator, Sequence

from halfdoor.canon.cards import Card
from halfdoor.canon.money import Budget
from halfdoor.canon.plans import Beyond, Plan
from halfdoor.decide.money import most
from halfdoor.decide.names import AS_ASKED
from halfdoor.decide.plans import covers
from halfdoor.decide.purses import counts


def unpriced(
    cards: Sequence[Card], budgets: Sequence[Budget], plans: Sequence[Plan]
) -> Iterator[str]:
    """A sentence for each budget that counts a model of which nobody knows what a call costs.

    What sends on any name has a price for each, or none; that is known with the request only.
    """
    unknown = [each for each in cards if _unknown(each) and not _paid(each, plans)]
    for budget in budgets:
        names = ", ".join(f"`{card.name}`" for card in unknown if _counts(budget, card))
        if not names:
            continue
        hard, warns = "nothing that it limits is sent there", "what is spent there is not counted"
        yield (
            f"budget `{budget.name}`: no price of {names} is known, so "
            f"{hard if budget.hard else warns}; hint: state `usd_per_million_tokens` in [[models]]"
        )


def _unknown(card: Card) -> bool:
    return card.model_id != AS_ASKED and most(1, 1, card.price) is None


def _paid(card: Card, plans: Sequence[Plan]) -> bool:
    """Does a plan pay for it whenever it is called?"""
    covering = (each for each in plans if covers(each, card.name, card.backend))
    first = next(covering, None)
    return first is not None and first.beyond is not Beyond.PAY


def _counts(budget: Budget, card: Card) -> bool:
    return counts(budget, {"model": card.name, "zone": card.zone.name.lower()})
