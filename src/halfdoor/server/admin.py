"""What a person with the right may change while halfdoor runs: lift a session's floor.

INVARIANT: it is recorded who did it, to what and why, before it takes effect.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta, Struct

from halfdoor.canon.record import Noted
from halfdoor.errors import ClientError, LogError
from halfdoor.flow.ports import Clock, Log
from halfdoor.flow.writing import timestamp
from halfdoor.store.floors import Standing

LIFT: Final = "/halfdoor/admin/lift"
BODY_BYTES: Final = 4096
REASON_CHARS: Final = 200


class Lift(Struct, frozen=True, forbid_unknown_fields=True):
    """session: its short name or the beginning of it. reason: a person's own words, recorded."""

    session: Annotated[str, Meta(pattern=r"^[0-9a-f]{4,12}$")]
    reason: Annotated[str, Meta(min_length=3, max_length=REASON_CHARS)]


class Lifted(Struct, frozen=True):
    """What was lifted."""

    session: str
    labels: tuple[str, ...]


class Lifting(Protocol):
    """Floors that can be listed and lifted."""

    async def standing(self) -> tuple[Standing, ...]:
        """All floors that hold."""

    async def lift(self, session: str) -> None:
        """Take a session's floor away."""


_decoder: Final = msgspec.json.Decoder(Lift)


@dataclass(frozen=True, slots=True)
class Admin:
    """Serves the admin routes to whoever `Access.administer` let in."""

    floors: Lifting
    log: Log
    clock: Clock

    async def lift(self, who: str, body: bytes) -> bytes:
        """Lift one session's floor; JSON of a `Lifted`. Raises ClientError."""
        asked = _read(body)
        try:
            found = [f for f in await self.floors.standing() if f.session.startswith(asked.session)]
            session = _only(asked.session, found)
            labels = tuple(sorted({name for floor in found for name in floor.labels}))
            await self._record(who, session, labels, asked.reason)
            await self.floors.lift(session)
        except LogError as error:
            raise ClientError(
                f"nothing was lifted: {error.message}",
                status=503,
                code="halfdoor_log_unavailable",
                hint=error.hint,
            ) from None
        return msgspec.json.encode(Lifted(session, labels))

    async def _record(self, who: str, session: str, labels: tuple[str, ...], reason: str) -> None:
        now_ms = self.clock.now_ms()
        facts = {"token": who, "session": session, "labels": ", ".join(labels), "reason": reason}
        noted = Noted(self.clock.exchange_id(now_ms), timestamp(now_ms), "lifted", facts)
        await self.log.append(noted)


def _read(body: bytes) -> Lift:
    try:
        asked = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _wrong("the request is not understood") from None
    if not asked.reason.isprintable() or not asked.reason.strip():
        raise _wrong("the reason has characters that cannot be shown")
    return asked


def _only(asked: str, found: list[Standing]) -> str:
    sessions = {floor.session for floor in found}
    if len(sessions) == 1:
        return sessions.pop()
    if sessions:
        raise ClientError(
            f"{len(sessions)} sessions begin with `{asked}`",
            code="ambiguous_session",
            hint="give more of its name",
        )
    raise ClientError(
        f"no session `{asked}` has a floor",
        status=404,
        code="no_such_session",
        hint="`halfdoor session list` names them",
    )


def _wrong(what: str) -> ClientError:
    hint = f'send {{"session": "…", "reason": "…"}}, a reason of 3 to {REASON_CHARS} characters'
    return ClientError(what, code="invalid_request", hint=hint)
