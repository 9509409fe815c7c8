"""For those who run halfdoor: the metrics, and what an admin may do. No tool has business here.

On a listener of its own where one is configured, else beside the line's routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from halfdoor.errors import ClientError
from halfdoor.flow.house import House
from halfdoor.flow.ports import Services
from halfdoor.server.access import Access
from halfdoor.server.admin import BODY_BYTES, LIFT, Admin
from halfdoor.server.body import BodyReader, HungUpError, Limits, Receive
from halfdoor.server.exposition import CONTENT_TYPE
from halfdoor.server.metrics import METRICS, Metrics
from halfdoor.server.plain import JSON, TEXT, neutral, refuse, whole
from halfdoor.server.sink import Send

HEALTH: Final = "/healthz"
_READ: Final = frozenset({("GET", METRICS), ("HEAD", METRICS)})
_OURS: Final = _READ | {("POST", LIFT)}
_THERE: Final = _OURS | {("GET", HEALTH), ("HEAD", HEALTH)}


Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """Its routes. access: who may come to its listener. port: of that one, 0 where it has none."""

    house: House
    services: Services
    access: Access
    limits: Limits
    admin: Admin
    metrics: Metrics
    port: int = 0

    def takes(self, scope: Scope) -> bool:
        """Is this request for it? All that come to its listener are, and its routes anywhere."""
        return (scope["method"], scope["path"]) in _OURS or self._own(scope)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request that it takes."""
        reader = BodyReader(receive, scope["headers"], replace(self.limits, body_bytes=BODY_BYTES))
        try:
            page = await self._page(scope, reader)
        except HungUpError:
            return
        except ClientError as error:
            if scope["method"] == "POST":
                await refuse(send, error.status, neutral(error), reader)
            else:
                await whole(send, error.status, JSON, neutral(error))
            return
        await whole(send, 200, *page)

    async def _page(self, scope: Scope, reader: BodyReader) -> tuple[str, bytes]:
        asked, headers = (scope["method"], scope["path"]), scope["headers"]
        self.access.visit(headers)
        if self.port and not self._own(scope):
            raise _nowhere(*asked, "ask where `admin_listen` of halfdoor's configuration says")
        if asked in _READ:
            self.access.observe(headers)
            return CONTENT_TYPE, await self.metrics.page(self.house, self.services)
        if asked in _OURS:
            who = self.access.administer(headers)
            return JSON, await self.admin.lift(who, await reader.read())
        if asked in _THERE:
            return TEXT, b"halfdoor ok\n"
        raise _nowhere(*asked, f"GET {METRICS}; tools ask where `listen` says")

    def _own(self, scope: Scope) -> bool:
        """Did it come to the listener of its own?"""
        return bool(self.port) and scope["server"][1] == self.port


def _nowhere(method: str, path: str, hint: str) -> ClientError:
    said = f"there is no {method[:20]} of `{path[:80]}` at this address"
    return ClientError(said, status=404, code="not_found", hint=hint)
