"""The rules in force: the defaults, what the user's file says, and what a project adds."""

from typing import Final

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule

DEFAULTS: Final = (
    Rule(name="secret", label="secret", ceiling=Zone.DEVICE),
    Rule(name="personal", label="personal", ceiling=Zone.DEVICE),
    Rule(name="scan-failed", label="scan-failed", ceiling=Zone.DEVICE),
    Rule(name="not-scanned", label="not-scanned", ceiling=Zone.CLOUD),
)


def in_force(user: tuple[Rule, ...], project: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """All rules, of which the strictest that match hold.

    A default yields only to a user's rule for that very label. INVARIANT: a project's rules are
    added and displace nothing, so they can only tighten.
    """
    spoken_for = {rule.label for rule in user}
    kept = tuple(rule for rule in DEFAULTS if rule.label not in spoken_for)
    return (*kept, *user, *project)


def loosened(user: tuple[Rule, ...]) -> tuple[tuple[Rule, Rule], ...]:
    """Pairs (default, what the user's rules make of it) where the user allows more.

    Two rules for one label count together: the strictest of each kind.
    """
    pairs = []
    for default in DEFAULTS:
        own = [rule for rule in user if rule.label == default.label]
        if own and min(rule.ceiling for rule in own) > default.ceiling:
            pairs.append((default, min(own, key=lambda rule: rule.ceiling)))
    return tuple(pairs)
