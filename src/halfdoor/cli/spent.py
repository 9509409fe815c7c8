"""What budgets and flat plans have taken by now, as a decision sees it: read from the log."""

from halfdoor.canon.money import Purse, Spending
from halfdoor.cli.plans import standings
from halfdoor.config.load import Loaded
from halfdoor.store.opening import taken
from halfdoor.store.periods import period, zone
from halfdoor.store.schema import FILE


def spending(loaded: Loaded, now_ms: int) -> Spending:
    """Settled and held, by the log; nothing where there is none. Raises LogError."""
    config, where = loaded.config, zone(loaded.config.server.time_zone)
    owners = {each.name: (each.person, each.team) for each in config.tokens}
    logged = (loaded.state_dir / FILE).exists()
    until: dict[str, str] = {}
    found: dict[Purse, int] = {}
    for budget in config.budgets:
        current = period(budget.period, now_ms, where)
        until[budget.period] = current.until
        if logged:
            purses = taken(loaded.state_dir, owners, budget, current.start_ms)
            found |= {(budget.name, key): each.amount for key, each in purses.items()}
    return Spending(found, until, {plan.name: how for plan, how in standings(loaded, now_ms)})
