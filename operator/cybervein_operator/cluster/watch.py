"""A watch of one kind that decodes each object into its facts and forgets the rest.

kopf keeps watching the three custom kinds; their children come this way, because kopf makes a
task, a queue and several wrappers for each object, and there are thousands (ADR 41). The protocol
is the same: list in pages, watch from there, bookmarks, again from the list after 410, a new
connection when nothing came for 70 seconds (the API server sends bookmarks every 60).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
import msgspec
import structlog

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import GONE
from cybervein_operator.cluster.listing import Listing, RefusedError, WatchEvent, WatchTimes
from cybervein_operator.cluster.presence import WatchedKind
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import Seen
from cybervein_operator.observed.shapes import Item

_log = structlog.get_logger()
_OPTIONAL_SECONDS_MAX: Final = 600.0
_BACKOFF_SECONDS_MAX: Final = 30.0


class Sink(Protocol):
    """Where observations go."""

    def replace(
        self, kind: ClusterKind, namespace: str, items: dict[tuple[str, str], Seen]
    ) -> None:
        """The whole list, of one namespace or ("") of all."""

    def put(self, kind: ClusterKind, key: tuple[str, str], item: Seen) -> None:
        """One object is there, or changed."""

    def drop(self, kind: ClusterKind, key: tuple[str, str]) -> None:
        """One object is gone."""


class KindWatch:
    """One kind in one namespace ("" is all)."""

    def __init__(  # noqa: PLR0913 -- what a watch is of, by name
        self,
        client: ClusterClient,
        kind: ClusterKind,
        sink: Sink,
        *,
        namespace: str = "",
        selector: str = "",
        optional: bool = False,
        times: WatchTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listing = Listing(client, kind, namespace, selector)
        self.kind, self.namespace, self._sink = kind, namespace, sink
        self.presence = WatchedKind(kind, namespace, optional=optional, clock=clock)
        self._times, self._clock = times or WatchTimes(), clock
        self.last_seen = clock()
        self.connected = False

    async def run(self) -> None:
        """Watch until cancelled."""
        backoff = 0.2
        while True:
            try:
                version = await self._list()
                backoff = 0.2
                await self._stream(version)
            except RefusedError as error:
                backoff = await self._refused(error, backoff)
            except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
                self.connected = False
                _log.warning(
                    "watch was interrupted; starting it again",
                    kind=self._kind,
                    error=type(error).__name__,
                )
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, _BACKOFF_SECONDS_MAX)

    @property
    def _kind(self) -> str:
        return self.kind.resource.kind

    async def _refused(self, error: RefusedError, backoff: float) -> float:
        """Ask again, ever more rarely: what was granted late is found within half a minute."""
        self.connected = False
        if self.presence.refused(error.status, str(error)):
            _log.warning(
                "watch was refused; asking again",
                kind=self._kind,
                namespace=self.namespace,
                status=error.status,
                error=str(error)[:300],
            )
        await asyncio.sleep(backoff)
        most = _OPTIONAL_SECONDS_MAX if self.presence.optional else _BACKOFF_SECONDS_MAX
        return min(2 * backoff, most)

    async def _list(self) -> str:
        items, version = dict[tuple[str, str], Seen](), ""
        async for page in self._listing.pages():
            items |= {_key(item): seen(self.kind, item) for item in page.items}
            version = page.version
        self._sink.replace(self.kind, self.namespace, items)
        self.connected, self.last_seen = True, self._clock()
        self.presence.listed()
        return version

    async def _stream(self, version: str) -> None:
        """Events from `version` on, over as many connections as it takes; returns after 410."""
        while True:
            try:
                async for event in self._listing.events(version, self._times):
                    self.last_seen = self._clock()
                    version = self._take(event) or version
            except RefusedError as error:
                if error.status == GONE:
                    return
                raise
            except TimeoutError:
                _log.info("watch was silent for too long; opening it again", kind=self._kind)
            await asyncio.sleep(0.1)

    def _take(self, event: WatchEvent) -> str:
        item = event.item()
        key = _key(item)
        if event.type in {"ADDED", "MODIFIED"}:
            self._sink.put(self.kind, key, seen(self.kind, item))
        elif event.type == "DELETED":
            self._sink.drop(self.kind, key)
        return item.metadata.resource_version


def _key(item: Item) -> tuple[str, str]:
    return item.metadata.namespace, item.metadata.name
