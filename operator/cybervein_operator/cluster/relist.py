"""Lists of the three kinds, per namespace: what kopf's watches cannot tell.

kopf asks again without end where it is refused, and says so to nobody; it does not tell what went
while it could not look; and a kind that does not exist ends it. So each kind is listed at the
start, again when something in its namespace was refused, and every ten minutes: what is listed is
noted, what is no longer there is gone, and a refusal is known by its words (ADR 79).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import structlog

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient, Object
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.cluster.presence import WatchedKind

_log = structlog.get_logger()
_AGAIN_SECONDS: Final = 600.0
_AWAY_SECONDS: Final = 2.0
_FIRST_SECONDS: Final = 0.2
REFUSED_SECONDS_MAX: Final = 30.0
Uids = Mapping[tuple[str, str], str]


class Notes(Protocol):
    """Who keeps what is listed."""

    def known(self, kind: ClusterKind, namespace: str) -> Uids:
        """Uids of what is known of a kind, in one namespace or ("") in all."""

    def replace(self, kind: ClusterKind, bodies: Sequence[Object], before: Uids) -> None:
        """The whole list; what was known `before` it was asked for and is not in it is gone."""


class KindList:
    """One of the three kinds in one namespace ("" is all)."""

    def __init__(
        self, client: ClusterClient, kind: ClusterKind, notes: Notes, namespace: str = ""
    ) -> None:
        self._client, self._notes = client, notes
        self.presence = WatchedKind(kind, namespace)
        self._poke = asyncio.Event()

    def again(self) -> None:
        """List soon: something nearby was refused, and this may be."""
        self._poke.set()

    async def run(self) -> None:
        """List again and again, until cancelled."""
        backoff = _FIRST_SECONDS
        while True:
            try:
                await self._list()
            except ApiAwayError:
                await asyncio.sleep(_AWAY_SECONDS)
            except ApiError as error:
                self._refused(error)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, REFUSED_SECONDS_MAX)
            else:
                backoff = _FIRST_SECONDS
                await self._pause()

    async def _list(self) -> None:
        self._poke.clear()
        kind, namespace = self.presence.kind, self.presence.namespace
        before = self._notes.known(kind, namespace)
        bodies = await self._client.list_all(kind, namespace or None)
        self._notes.replace(kind, bodies, before)
        self.presence.listed()

    def _refused(self, error: ApiError) -> None:
        if self.presence.refused(error.http_status, str(error)):
            _log.warning(
                "kind cannot be listed; asking again",
                kind=self.presence.kind.resource.kind,
                namespace=self.presence.namespace,
                error=str(error)[:300],
            )

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._poke.wait(), _AGAIN_SECONDS)
        except TimeoutError:
            return
