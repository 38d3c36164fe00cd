"""List and watch as the API server speaks them: pages, then lines of JSON, each a typed event."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import aiohttp
import msgspec

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient, bounded
from cybervein_operator.observed.shapes import Item

_PAGE: Final = 500
_PAGE_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_LINE_BYTES_MAX: Final = 4 << 20
_REFUSAL_BYTES_MAX: Final = 1 << 16
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """Seconds: of a watch on the server's side, on ours, and of silence that means a dead one."""

    server: float = 300
    client: float = 330
    inactivity: float = 70


class RefusedError(Exception):
    """The API server said no; `status` is HTTP's, and the text what it said."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(words or f"HTTP {status}")
        self.status = status


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct):
    """Some of a list's objects."""

    metadata: _ListMeta
    items: list[Item] = []

    @property
    def version(self) -> str:
        """Of the whole list: what to watch from."""
        return self.metadata.resource_version


class WatchEvent(msgspec.Struct):
    """ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: msgspec.Raw

    def item(self) -> Item:
        """The object."""
        return msgspec.json.decode(self.object, type=Item)


class _Error(msgspec.Struct):
    code: int = 0


class _Refusal(msgspec.Struct):
    message: str = ""


class Listing:
    """One kind in one namespace ("" is all), those that a label selector picks."""

    def __init__(
        self, client: ClusterClient, kind: ClusterKind, namespace: str, selector: str
    ) -> None:
        self._client, self._kind = client, kind
        self._namespace, self._selector = namespace, selector

    async def pages(self) -> AsyncIterator[Page]:
        """Everything, in one page at least. Raises RefusedError."""
        query = {"limit": str(_PAGE)}
        while True:
            page = await self._page(query)
            yield page
            if not page.metadata.continue_:
                return
            query["continue"] = page.metadata.continue_

    async def _page(self, query: dict[str, str]) -> Page:
        timeout = aiohttp.ClientTimeout(total=_PAGE_SECONDS, sock_connect=_CONNECT_SECONDS)
        async with self._client.session.get(
            self._url(query), headers=await self._client.headers(), timeout=timeout
        ) as answer:
            if answer.status != _OK:
                raise await _refusal(answer)
            text = await bounded(answer, self._client.answer_bytes_max)
            if text is None:
                raise aiohttp.ClientPayloadError(
                    f"a page of {_PAGE} {self._kind.resource.plural} is longer than "
                    f"{self._client.answer_bytes_max} bytes"
                )
            return msgspec.json.decode(text, type=Page)

    async def events(self, version: str, times: WatchTimes) -> AsyncIterator[WatchEvent]:
        """What happens after `version`, as long as one connection lasts.

        Raises RefusedError, with 410 when the version is too old, or TimeoutError after silence.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(int(times.server)),
        }
        timeout = aiohttp.ClientTimeout(
            total=times.client, sock_connect=_CONNECT_SECONDS, sock_read=times.inactivity
        )
        async with self._client.session.get(
            self._url(query), headers=await self._client.headers(), timeout=timeout
        ) as answer:
            if answer.status != _OK:
                raise await _refusal(answer)
            async for line in _lines(answer.content):
                event = msgspec.json.decode(line, type=WatchEvent)
                if event.type == "ERROR":
                    raise RefusedError(msgspec.json.decode(event.object, type=_Error).code)
                yield event

    def _url(self, query: dict[str, str]) -> str:
        if self._selector:
            query = query | {"labelSelector": self._selector}
        path = self._kind.resource.path(self._namespace or None)
        return self._client.url(f"{path}?{urlencode(query)}")


async def _refusal(answer: aiohttp.ClientResponse) -> RefusedError:
    """The status and the words of an answer that is none."""
    text = await bounded(answer, _REFUSAL_BYTES_MAX) or b""
    try:
        words = msgspec.json.decode(text, type=_Refusal).message
    except msgspec.DecodeError:
        words = ""
    return RefusedError(answer.status, words)


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
