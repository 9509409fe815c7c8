"""Session tokens: what `halfdoor launch` gives to one tool, so that its requests carry who asks.

A token is its own record: tool, project, the project's rules and an end, sealed under a key that
only the owner of the state directory can read. So the gateway keeps no table of them, several
gateways accept the same ones, and a tool that edits its project's file changes nothing: the rules
it was launched with travel in the token, and they can only tighten.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.rules import Rule
from halfdoor.errors import ClientError

PREFIX: Final = "hd1."
LASTS_MS: Final = 30 * 24 * 60 * 60 * 1000


class Session(Struct, frozen=True):
    """What a token says. project: the folder's own name, for `ps` and `why`. until_ms: Unix time.

    rules: of the project's `.halfdoor.toml` when the tool was launched, and file: its path.
    root: absolute real path of the project's root.
    """

    tool: str
    project: str
    until_ms: int
    rules: tuple[Rule, ...] = ()
    root: str = ""
    file: str = ""


_decoder: Final = msgspec.json.Decoder(Session)


def mint(key: bytes, session: Session) -> str:
    """The token for a session; letters, digits, `-`, `_` and two dots."""
    said = _base64(msgspec.json.encode(session))
    return f"{PREFIX}{said}.{_base64(_seal(key, said))}"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Reads tokens that were minted under `key`. now_ms: Unix time in milliseconds."""

    key: bytes = field(repr=False)
    now_ms: Callable[[], int]

    def read(self, token: str) -> Session:
        """What a token with our prefix says. Raises ClientError, 401, for any that is not good.

        INVARIANT: a session's token that fails is refused even where no token is needed: without
        it, its project's rules would not hold.
        """
        said, _, seal = token.removeprefix(PREFIX).rpartition(".")
        # As bytes: text that is not ASCII cannot be compared, and must not be an error of ours.
        if not hmac.compare_digest(_base64(_seal(self.key, said)).encode(), seal.encode()):
            raise _refused("was not made here")
        try:
            session = _decoder.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        except (msgspec.MsgspecError, binascii.Error, ValueError):
            raise _refused("cannot be read") from None
        if session.until_ms <= self.now_ms():
            raise _refused("has ended")
        return session


def _seal(key: bytes, said: str) -> bytes:
    return hmac.digest(key, said.encode("latin-1", "replace"), "sha256")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _refused(why: str) -> ClientError:
    return ClientError(
        f"the session token {why}",
        status=401,
        code="invalid_session",
        hint="start the tool again with `halfdoor launch`",
    )
