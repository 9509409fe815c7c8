"""What each model costs: as the configuration states it, else as this device or the list has it.

A rate is written in US dollars for a million tokens and kept in whole micro-USD. One that cannot be
meant stops the start: a budget would hold nothing, and nobody would see it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec.structs import asdict

from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Price, Rates, Tier
from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.places import Keys
from halfdoor.config.prices import listed, shipped
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model, Prices, RateTable

# No vendor asks so little for a million tokens of any kind; whoever writes less means fewer tokens.
CHEAPEST_USD: Final = 0.001
# No discount is so large; who writes less than this part of the list's price means fewer tokens.
_DISCOUNT: Final = 100
_KINDS: Final = Rates.__struct_fields__
# What a kind costs as much as, where nothing is stated; see `decide.money.cost`.
_AS: Final = {"cache_write": "input", "cache_write_1h": "cache_write", "reasoning": "output"}
_TABLE: Final = "usd_per_million_tokens"


class Origin(StrEnum):
    """Whose word a price is."""

    STATED = "your configuration"
    DEVICE = "this device, whose tokens nobody bills"
    LISTED = "the price list"


def origin(model: Model, zone: Zone) -> Origin:
    """Where a model's price is from. zone: where it really is."""
    if model.usd_per_million_tokens is not None:
        return Origin.STATED
    return Origin.DEVICE if zone is Zone.DEVICE else Origin.LISTED


def price(model: Model, backend: Backend, zone: Zone) -> Price:
    """What a model costs. zone: where it really is."""
    if model.usd_per_million_tokens is not None:
        return _stated(model.usd_per_million_tokens)
    return FREE if zone is Zone.DEVICE else listed(backend.url, model.id).price


def check_rates(source: Source, tables: Tables) -> None:
    """Raise SetupError for a price that cannot be meant."""
    backends = {backend.name: backend for backend in tables.backends}
    for index, model in enumerate(tables.models):
        prices = model.usd_per_million_tokens
        if prices is None:
            continue
        place: Keys = ("models", index, _TABLE)
        _written(source, place, model, prices)
        _tiers(source, place, model, prices)
        backend, stated = backends[model.backend], _stated(prices)
        known = listed(backend.url, model.id).price
        _near_the_list(source, place, model, stated, known)
        _whole(source, place, model, stated, tuple(_dearer(known, backend)))
        _long(source, place, model, stated, known)


def _stated(prices: Prices) -> Price:
    tiers = sorted(prices.tiers, key=lambda tier: tier.above)
    return Price(
        **asdict(_rates(prices)), tiers=tuple(Tier(tier.above, _rates(tier)) for tier in tiers)
    )


def _rates(table: RateTable) -> Rates:
    return Rates(*(_micro(getattr(table, kind)) for kind in _KINDS))


def _micro(usd: float | None) -> int | None:
    """Micro-USD, as it is written: 0.1 is a tenth, not the nearest binary fraction."""
    return None if usd is None else int(_decimal(usd).scaleb(6))


def _decimal(usd: float) -> Decimal:
    return Decimal(str(usd))


def _written(source: Source, place: Keys, model: Model, table: RateTable) -> None:
    for kind in _KINDS:
        usd = getattr(table, kind)
        if not usd:
            continue
        found = f"`{kind}` of model `{model.name}` is {_shown(usd)} USD for a million tokens"
        if usd < CHEAPEST_USD:
            raise source.error(
                (*place, kind),
                f"{found}, and none is sold so cheaply",
                "write what a million tokens cost, not what one does, as `input = 3`",
            )
        if _decimal(usd).scaleb(6) % 1:
            raise source.error(
                (*place, kind),
                f"{found}, and it is counted in whole millionths of a dollar",
                "round it up after its sixth decimal",
            )


def _tiers(source: Source, place: Keys, model: Model, prices: Prices) -> None:
    begins = [tier.above for tier in prices.tiers]
    for at, tier in enumerate(prices.tiers):
        here: Keys = (*place, "tiers", at)
        if tier.above in begins[:at]:
            raise source.error(
                (*here, "above"),
                f"two tiers of model `{model.name}` begin above {tier.above:,} tokens",
                "join them, or give one another `above`",
            )
        if _rates(tier) == Rates():
            raise source.error(
                here,
                f"the tier of model `{model.name}` above {tier.above:,} tokens has no rate",
                "write what is dearer there, as `input = 6`, or leave the tier out",
            )
        _written(source, here, model, tier)


def _near_the_list(source: Source, place: Keys, model: Model, stated: Price, known: Price) -> None:
    for kind in ("input", "output"):
        mine, theirs = getattr(stated, kind), getattr(known, kind) or 0
        if 0 < mine * _DISCOUNT <= theirs:
            raise source.error(
                (*place, kind),
                f"`{kind}` of model `{model.name}` is {_usd(mine)} USD for a million tokens, and "
                f"{_usd(theirs)} USD in the price list of {shipped().date}",
                "write what a million tokens cost, not what a thousand do; 0 if nobody bills them",
            )


def _whole(
    source: Source, place: Keys, model: Model, stated: Price, dearer: Sequence[tuple[str, int]]
) -> None:
    """INVARIANT: what is left out never counts as less than its vendor is known to ask for it."""
    for kind, theirs in dearer:
        if getattr(stated, kind) is None:
            known = f" ({_usd(theirs)} USD in the price list of {shipped().date})" if theirs else ""
            usual = theirs or (stated.input or 0) * 5 // 4
            raise source.error(
                place,
                f"the price of model `{model.name}` lacks `{kind}`, for which its vendor asks more "
                f"than for `{_AS[kind]}`{known}",
                f"write USD for a million tokens, as `{kind} = {_usd(usual)}`",
            )


def _long(source: Source, place: Keys, model: Model, stated: Price, known: Price) -> None:
    """INVARIANT: as of `_whole`, for long prompts."""
    if stated.tiers:
        return
    for tier in known.tiers:
        for kind in _KINDS:
            theirs, otherwise = getattr(tier.rates, kind) or 0, getattr(known, kind) or 0
            if theirs > otherwise:
                raise source.error(
                    place,
                    f"the price of model `{model.name}` has no `tiers`, and its vendor asks more "
                    f"for prompts of more than {tier.above:,} tokens ({_usd(theirs)} instead of "
                    f"{_usd(otherwise)} USD for `{kind}` in the price list of {shipped().date})",
                    f"add `[[models.{_TABLE}.tiers]]` with `above = {tier.above}`; where it is no "
                    "dearer, with the same rates",
                )


def _dearer(known: Price, backend: Backend) -> Iterator[tuple[str, int]]:
    """Kinds that a vendor bills dearer than they count where left out; its rate, 0 if not known."""
    for kind, as_ in _AS.items():
        theirs, otherwise = getattr(known, kind) or 0, getattr(known, as_) or 0
        if theirs > otherwise:
            yield kind, theirs
        elif kind == "cache_write" and not otherwise and _bills_writes(backend):
            yield kind, 0


def _bills_writes(backend: Backend) -> bool:
    """Is it a vendor of whom that is to be expected? The protocol counts them apart for that."""
    return backend.dialect == "anthropic_messages" and backend.zone == "cloud"


def _usd(micro: int) -> str:
    return f"{Decimal(micro).scaleb(-6).normalize():f}"


def _shown(usd: float) -> str:
    return f"{_decimal(usd):f}"
