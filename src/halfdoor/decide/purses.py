"""What a budget counts, over names: of an exchange that is decided, and of one in the books."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from halfdoor.canon.decision import Target
from halfdoor.canon.money import Budget
from halfdoor.canon.request import Actor

# By the fields of `Budget.match`; one that is not there is not known yet.
Names = Mapping[str, str]


def asking(actor: Actor) -> Names:
    """The names of who asks, all that is known before somebody answers."""
    return {
        "token": actor.token,
        "person": actor.person,
        "team": actor.team,
        "project": actor.project,
        "tool": actor.tool,
    }


def answering(target: Target) -> Names:
    """The names of who answers, as the books have them."""
    return {"model": target.priced_as or target.name, "zone": target.zone.name.lower()}


def counts(budget: Budget, names: Names) -> bool:
    """Does the budget count what has these names? A name that is not known yet may be any."""
    return all(
        _holds(field, value, names[field]) for field, value in budget.match if field in names
    )


def key(budget: Budget, names: Names) -> str | None:
    """Whose limit of the budget it is, "" where there is one for all; None if not known yet."""
    return names.get(budget.each) if budget.each else ""


def _holds(field: str, value: str, name: str) -> bool:
    return fnmatchcase(name, value) if field == "model" else name == value
