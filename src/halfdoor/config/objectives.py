"""What the configuration holds its backends to, as `decide` reads it."""

from collections.abc import Iterable
from typing import Final

from halfdoor.canon.objectives import Objective
from halfdoor.config.tables.backends import Backend

# Of streamed answers that must begin in time, where nobody says another share.
SHARE: Final = 0.95


def objectives(backends: Iterable[Backend]) -> tuple[Objective, ...]:
    """Of the backends that promise something."""
    found = (_objective(backend) for backend in backends)
    return tuple(o for o in found if o.availability is not None or o.first_tenths is not None)


def _objective(backend: Backend) -> Objective:
    slo = backend.slo
    first = None if slo.first_token_s is None else round(slo.first_token_s * 10)
    share = SHARE if slo.first_token_share is None else slo.first_token_share
    return Objective(backend.name, slo.availability, first, share)
