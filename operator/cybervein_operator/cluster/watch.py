"""A watch of one kind that decodes each object into its facts and forgets the rest.

kopf keeps watching the three custom kinds; their children come this way, because kopf makes a
task, a queue and several wrappers for each object, and there are thousands (ADR 41). The protocol
is the same: list in pages, watch from there, bookmarks, again from the list after 410, a new
connection when nothing came for 70 seconds (the API server sends bookmarks every 60).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlencode

import aiohttp
import msgspec
import structlog

from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import FORBIDDEN, GONE, NOT_FOUND
from cybervein_operator.cluster.extract import Item, seen
from cybervein_operator.cluster.kinds import Kind
from cybervein_operator.cluster.views import Seen

_log = structlog.get_logger()
_PAGE: Final = 500
_LINE_BYTES_MAX: Final = 4 << 20
_DENIED_SECONDS: Final = 600.0
_BACKOFF_SECONDS_MAX: Final = 30.0
_OK: Final = 200


class Sink(Protocol):
    """Where observations go."""

    def replace(self, kind: Kind, namespace: str, items: dict[tuple[str, str], Seen]) -> None:
        """The whole list, of one namespace or ("") of all."""

    def put(self, kind: Kind, key: tuple[str, str], item: Seen) -> None:
        """One object is there, or changed."""

    def drop(self, kind: Kind, key: tuple[str, str]) -> None:
        """One object is gone."""


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: list[Item] = []


class _Head(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """Seconds: of a watch on the server's side, on ours, and of silence that means a dead one."""

    server: float = 300
    client: float = 330
    inactivity: float = 70


class Watch:
    """One kind in one namespace ("" is all)."""

    def __init__(  # noqa: PLR0913 -- what a watch is of, by name
        self,
        client: ClusterClient,
        kind: Kind,
        sink: Sink,
        *,
        namespace: str = "",
        selector: str = "",
        optional: bool = False,
        times: WatchTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self.kind, self._sink = client, kind, sink
        self.namespace, self._selector, self._optional = namespace, selector, optional
        self._times, self._clock = times or WatchTimes(), clock
        self.listed = asyncio.Event()
        self.denied = False
        self.last_seen = clock()
        self.connected = False

    async def run(self) -> None:
        """Watch for ever."""
        backoff = 0.2
        while True:
            try:
                version = await self._list()
                backoff = 0.2
                await self._stream(version)
            except _RefusedError as error:
                backoff = await self._refused(error, backoff)
            except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
                self.connected = False
                _log.warning("watch.lost", kind=self._kind, error=type(error).__name__)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, _BACKOFF_SECONDS_MAX)

    @property
    def _kind(self) -> str:
        return self.kind.resource.kind

    async def _refused(self, error: _RefusedError, backoff: float) -> float:
        """Ask again, ever more rarely; without an optional kind the operator goes on meanwhile.

        An API server that has just started denies everything for a second, until it knows the
        roles: so a denial is never taken for lasting at once.
        """
        denied = error.status in {FORBIDDEN, NOT_FOUND}
        if not self.denied:
            _log.warning("watch.denied", kind=self._kind, status=error.status)
        self.denied, self.connected = denied, False
        if denied and self._optional:
            self.listed.set()
        await asyncio.sleep(backoff)
        return min(2 * backoff, _DENIED_SECONDS if denied else _BACKOFF_SECONDS_MAX)

    async def _list(self) -> str:
        items: dict[tuple[str, str], Seen] = {}
        query = {"limit": str(_PAGE)}
        while True:
            page = await self._page(query)
            for item in page.items:
                key = (item.metadata.namespace, item.metadata.name)
                items[key] = seen(self.kind, item)
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        self._sink.replace(self.kind, self.namespace, items)
        self.denied, self.connected, self.last_seen = False, True, self._clock()
        self.listed.set()
        return page.metadata.resource_version

    async def _page(self, query: dict[str, str]) -> _List:
        timeout = aiohttp.ClientTimeout(total=60, sock_connect=10)
        async with self._client.session.get(
            self._url(query), headers=self._client.headers(), timeout=timeout
        ) as answer:
            if answer.status != _OK:
                raise _RefusedError(answer.status)
            return msgspec.json.decode(await answer.read(), type=_List)

    def _url(self, query: dict[str, str]) -> str:
        if self._selector:
            query = query | {"labelSelector": self._selector}
        path = self.kind.resource.path(self.namespace or None)
        return self._client.url(f"{path}?{urlencode(query)}")

    async def _stream(self, version: str) -> None:
        """Events from `version` on, over as many connections as it takes; returns after 410."""
        while True:
            try:
                async for head in self._events(version):
                    self.last_seen = self._clock()
                    if head.type == "ERROR":
                        _refuse(msgspec.json.decode(head.object, type=_Error))
                    version = self._take(head) or version
            except _RefusedError as error:
                if error.status == GONE:
                    return
                raise
            except TimeoutError:
                _log.info("watch.silent", kind=self._kind)
            await asyncio.sleep(0.1)

    def _take(self, head: _Head) -> str:
        item = msgspec.json.decode(head.object, type=Item)
        key = (item.metadata.namespace, item.metadata.name)
        if head.type in {"ADDED", "MODIFIED"}:
            self._sink.put(self.kind, key, seen(self.kind, item))
        elif head.type == "DELETED":
            self._sink.drop(self.kind, key)
        return item.metadata.resource_version

    async def _events(self, version: str) -> AsyncIterator[_Head]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(int(self._times.server)),
        }
        timeout = aiohttp.ClientTimeout(
            total=self._times.client, sock_connect=10, sock_read=self._times.inactivity
        )
        async with self._client.session.get(
            self._url(query), headers=self._client.headers(), timeout=timeout
        ) as answer:
            if answer.status != _OK:
                raise _RefusedError(answer.status)
            self.connected = True
            async for line in _lines(answer.content):
                yield msgspec.json.decode(line, type=_Head)


def _refuse(error: _Error) -> None:
    raise _RefusedError(error.code)


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length up to the limit; a stream's own `readline` stops at 64 KiB."""
    rest = bytearray()
    async for part in stream.iter_any():
        rest += part
        *whole, tail = rest.split(b"\n")
        if len(tail) > _LINE_BYTES_MAX:
            raise aiohttp.ClientPayloadError("a watch event is longer than 4 MiB")
        rest = bytearray(tail)
        for line in whole:
            if line:
                yield bytes(line)
