"""Miners over HTTP: their status in the open, drains and disks signed with the control key.

A signed request names its miner in the query, so that one heard on its way to a miner is of no use
at another.
"""

from collections.abc import Callable
from math import inf
from urllib.parse import quote

import aiohttp
import msgspec
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.miner.disks import DiskBody, WipeBody
from cybervein_protocol.api.miner.drain import DrainBody
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import SignedClient

from cybervein_operator.miners.report import Report, report_of

DEFAULT_URL = "http://{miner}.{namespace}.svc:4100"
_JSON = "application/json"


class MinerClient:
    """Requests to miners that a template of URLs finds."""

    def __init__(
        self,
        template: str,
        key: KeyPair,
        *,
        timeout_seconds: float = 10,
        fence: Callable[[str], float] = lambda _: inf,
    ) -> None:
        """`fence` says for how many seconds orders may be given in a namespace."""
        self._template, self._timeout, self._fence = template, timeout_seconds, fence
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=5), auto_decompress=False
        )
        self._session = session
        self._open, self._signed = SignedClient(None, session), SignedClient(key, session)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    def url(self, namespace: str, miner: str) -> str:
        """Where a miner is."""
        pool, _, ordinal = miner.rpartition("-")
        return self._template.format(namespace=namespace, miner=miner, pool=pool, ordinal=ordinal)

    async def status(self, namespace: str, miner: str) -> Report:
        """The miner's report. Raises UnavailableError, MalformedError."""
        url = self.url(namespace, miner) + "/v1/status"
        answer = await self._open.request(
            "GET", url, timeout_seconds=self._timeout, max_response_bytes=STATUS_BYTES_MAX
        )
        return report_of(decode_document(answer.body, StatusDocument, url, STATUS_BYTES_MAX))

    async def drain(self, namespace: str, miner: str, address: str, *, draining: bool) -> None:
        """Ask it to drain, or to cancel."""
        route = self._route(namespace, miner, address, "drain")
        await self._tell(namespace, "POST", route, DrainBody(1, draining))

    async def remove_disk(self, namespace: str, miner: str, address: str, disk: str) -> None:
        """Drain one disk."""
        route = self._route(namespace, miner, address, f"disks/{quote(disk)}")
        await self._tell(namespace, "DELETE", route)

    async def add_disk(self, namespace: str, miner: str, address: str, path: str) -> None:
        """Take a leaving or drained disk into use again."""
        route = self._route(namespace, miner, address, "disks")
        await self._tell(namespace, "POST", route, DiskBody(path))

    async def wipe_disk(self, namespace: str, miner: str, address: str, disk: str) -> None:
        """Delete CyberVein's files of a drained disk."""
        route = self._route(namespace, miner, address, f"disks/{quote(disk)}/wipe")
        await self._tell(namespace, "POST", route, WipeBody(1, disk))

    def _route(self, namespace: str, miner: str, address: str, route: str) -> str:
        """A signed route: it names the miner that it is meant for."""
        return f"{self.url(namespace, miner)}/v1/{route}?miner={quote(address)}"

    async def _tell(
        self, namespace: str, method: str, url: str, body: Document | None = None
    ) -> None:
        left = self._fence(namespace)
        if left <= 0:
            raise UnavailableError(
                f"{method} {url}: not sent, as this operator does not hold the Lease of namespace "
                f"{namespace}"
            )
        data = msgspec.json.encode(body) if body is not None else None
        await self._signed.request(
            method, url, body=data, content_type=_JSON, timeout_seconds=min(self._timeout, left)
        )
