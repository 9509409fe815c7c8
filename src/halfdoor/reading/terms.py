"""Does what a backend states satisfy what a rule requires? And which of two rules holds more?"""

from collections.abc import Iterator

from halfdoor.canon.cards import Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Require, Rule


def unmet(require: Require | None, zone: Zone, terms: Terms) -> tuple[str, ...]:
    """Names of the requirements that are not met; () when all are.

    INVARIANT: what is not stated satisfies nothing. On the device nothing leaves, so all is met.
    """
    if require is None or zone is Zone.DEVICE:
        return ()
    return tuple(_unmet(require, terms))


def _unmet(require: Require, terms: Terms) -> Iterator[str]:
    if require.regions and terms.region not in require.regions:
        yield "region"
    if require.training and terms.training != require.training:
        yield "training"
    if require.retention_days is not None and (
        terms.retention_days is None or terms.retention_days > require.retention_days
    ):
        yield "retention_days"


def covers(one: Rule, other: Rule) -> bool:
    """Does `one` forbid all that `other` forbids, and as sternly, where both are in force?"""
    if one.above > other.above or one.ceiling > other.ceiling:
        return False
    return one.ceiling is Zone.DEVICE or _demands(one.require or Require(), other.require)


def _demands(one: Require, other: Require | None) -> bool:
    """Whatever meets `one` meets `other`."""
    if other is None:
        return True
    if other.regions and not (one.regions and set(one.regions) <= set(other.regions)):
        return False
    if other.training and one.training != other.training:
        return False
    limit = other.retention_days
    return limit is None or (one.retention_days is not None and one.retention_days <= limit)


def said(require: Require) -> str:
    """`region eu or de, training never, retention_days at most 30`."""
    parts = []
    if require.regions:
        parts.append("region " + " or ".join(require.regions))
    if require.training:
        parts.append(f"training {require.training}")
    if require.retention_days is not None:
        parts.append(f"retention_days at most {require.retention_days}")
    return ", ".join(parts)


def stated(terms: Terms) -> str:
    """`region us, training unknown, retention_days unknown`."""
    days = "unknown" if terms.retention_days is None else str(terms.retention_days)
    return (
        f"region {terms.region or 'unknown'}, training {terms.training or 'unknown'}, "
        f"retention_days {days}"
    )
