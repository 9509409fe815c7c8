"""`cheapest`: what this turn is expected to cost, the least first; as configured among equals."""

from halfdoor.canon.decision import Target
from halfdoor.canon.money import PicoUSD, Usage
from halfdoor.decide.money import cost
from halfdoor.decide.route import Situation


def cheapest(permitted: tuple[Target, ...], situation: Situation) -> tuple[Target, ...]:
    """By expected cost. One whose price is not known comes last: unknown is never free."""
    return tuple(sorted(permitted, key=lambda target: _order(expected(target, situation))))


def expected(target: Target, situation: Situation) -> PicoUSD | None:
    """Pico-USD of the turn; None without a price.

    Where the session's last prompt is still in a vendor's cache, the request is priced as read from
    it there, and as new everywhere else: leaving a warm cache is paid for, and so it must pay.
    """
    tokens = situation.input_tokens(target.name)
    cached = tokens if target.name == situation.warm else 0
    return cost(Usage(tokens, situation.output_tokens, cached_tokens=cached), target.price)


def _order(price: PicoUSD | None) -> tuple[bool, int]:
    return (price is None, price or 0)
