"""Keys: read from the environment when they are needed, kept nowhere, shown to nobody else."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Target
from halfdoor.errors import BackendError


@dataclass(frozen=True, slots=True)
class Credentials:
    """How one backend is shown a key.

    show: the dialect's `credential`. key_env: the environment variable that holds the key, "" when
    the backend has none. A variable that is not set means: call without a key.
    """

    backend: str
    show: Callable[[str], Headers]
    key_env: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def headers(self, target: Target, client_key: str) -> Headers:
        """The headers that show the key this call uses, or none.

        client_key: the caller's own; used only when the target says so, and then nothing else is.
        Raises BackendError, kind `credentials`; its text never holds a key.
        """
        if target.client_credentials:
            return self._shown(self._callers(client_key), "the caller's key")
        return self.own()

    def _callers(self, client_key: str) -> str:
        if not client_key:
            raise BackendError(
                f"backend `{self.backend}` uses the caller's own key, and the caller sent none",
                kind="credentials",
                hint="give your tool its vendor's key, or give the backend a `key` in the config",
            )
        return client_key

    def own(self) -> Headers:
        """The headers that show the backend's own key, for calls that are not a caller's.

        Raises as `headers`.
        """
        key = self.environ.get(self.key_env, "") if self.key_env else ""
        return self._shown(key, f"the key in `{self.key_env}`") if key else ()

    def _shown(self, key: str, which: str) -> Headers:
        # A line break would let a key write headers of its own; other bytes no vendor accepts.
        if not (key.isascii() and key.isprintable()) or key != key.strip():
            raise BackendError(
                f"backend `{self.backend}`: {which} holds a space at an end, a line break or a "
                "character that no key has",
                kind="credentials",
                hint="set it again without quotes, line breaks or copied formatting",
            )
        return self.show(key)
