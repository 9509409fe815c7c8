"""Permits: proof, checked at the socket, that a decision was recorded and whom it covers."""

import hmac
from typing import Final

from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided, Entry
from halfdoor.record.keyed import keyed

Covered = tuple[tuple[str, Zone], ...]

_ZONES: Final = {zone.name.lower(): zone for zone in Zone}
# What covers nothing needs no seal, and with this one it never will.
_UNSEALED: Final = b""


def permit(key: bytes, entry: Entry, sequence: int) -> Permit:
    """The permit for an entry at `sequence`; only a `Decided` that refuses nothing covers targets.

    key: this process's seal key, at least 32 random bytes.
    """
    targets = _planned(entry) if isinstance(entry, Decided) else ()
    if not targets:
        return Permit(entry.id, (), sequence, _UNSEALED)
    return Permit(entry.id, targets, sequence, seal(key, entry.id, targets, sequence))


def covers(permit: Permit, key: bytes, target: Target, zone: Zone) -> bool:
    """May `target` be called where the socket really ends, in `zone`?

    True only if the seal is ours, the target was planned, and the zone is no wider than planned.
    """
    true_seal = seal(key, permit.exchange, permit.targets, permit.sequence)
    if not hmac.compare_digest(true_seal, permit.seal):
        return False
    return any(name == target.name and zone <= widest for name, widest in permit.targets)


def seal(key: bytes, exchange: str, targets: Covered, sequence: int) -> bytes:
    """HMAC-SHA256 over all fields; each text is preceded by its length, so none can shift."""
    parts = [exchange, str(sequence)]
    for name, zone in targets:
        parts += (name, str(int(zone)))
    message = "".join(f"{len(part)}:{part}" for part in parts)
    return keyed(key, message.encode("utf-8", "surrogatepass"))


def _planned(entry: Decided) -> Covered:
    if entry.refusal:
        return ()
    return tuple((planned.model, _ZONES[planned.zone]) for planned in entry.plan)
