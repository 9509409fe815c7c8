"""What the same tokens would have cost on another model, and what that comparison assumes."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price
from halfdoor.cli.spending import at_price
from halfdoor.config.prices import anywhere, shipped
from halfdoor.config.rates import Origin, origin
from halfdoor.config.tables.models import Model
from halfdoor.decide.money import shown
from halfdoor.errors import SetupError
from halfdoor.store.books import Sum

# What a comparison with another model takes for granted; for people and for programs.
ASSUMED: Final = (
    "the same tokens, of its cache only what was read from one or put into one here, the rates of "
    "short prompts"
)


class Reference(Struct, frozen=True):
    """Another model, whose price the same tokens are given. source: where that price is from."""

    name: str
    price: Price
    source: str


def reference(asked: str, known: Sequence[Card], models: Sequence[Model]) -> Reference | None:
    """The model to compare with; without a name the first cloud model that has a price, if any.

    Raises SetupError for a model that has no price anywhere.
    """
    if not asked:
        priced = (c for c in known if c.zone is Zone.CLOUD and c.price.input is not None)
        card = next(priced, None)
        return _referring(card, models) if card else None
    for card in known:
        if asked in {card.name, card.model_id} and card.price.input is not None:
            return _referring(card, models)
    found = anywhere(asked)
    if not found.name:
        raise SetupError(
            f"nobody states a price of `{asked}`",
            hint="give a model of your configuration with a price, or one as its vendor calls it",
        )
    return Reference(found.name, found.price, _listed_in())


def _referring(card: Card, models: Sequence[Model]) -> Reference:
    model = next(model for model in models if model.name == card.name)
    found = origin(model, card.zone)
    return Reference(card.name, card.price, _listed_in() if found is Origin.LISTED else found.value)


def _listed_in() -> str:
    return f"{shipped().source}, of {shipped().date}"


def compared(total: Sum, fees: int, other: Reference) -> Iterator[str]:
    """What the same tokens would have cost there, and what that assumes, if it is known."""
    elsewhere = at_price(total, other.price)
    if elsewhere is None:
        return
    yield f"all of it on {other.name}: {shown(elsewhere)}{_difference(total, fees, elsewhere)}"
    yield f"assumed: {ASSUMED}; price from {other.source}"


def _difference(total: Sum, fees: int, elsewhere: int) -> str:
    """How much that is more or less; with unknown costs nobody can say."""
    if total.unknown:
        return ""
    saved = elsewhere - total.cost - fees
    return f", so this was {shown(abs(saved))} {'less' if saved >= 0 else 'more'}"
