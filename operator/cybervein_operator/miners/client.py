"""Miners over HTTP: their status in the open, drains and disks signed with the control key.

A signed request names its miner in the query, so that one heard on its way to a miner is of no use
at another.
"""

from urllib.parse import quote

import aiohttp
import msgspec
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import SignedClient

from cybervein_operator.miners.report import DiskReport, Report

DEFAULT_URL = "http://{miner}.{namespace}.svc:4100"
_STATUS_BYTES_MAX = 4 << 20
_JSON = "application/json"


class MinerClient:
    """Requests to miners that a template of URLs finds."""

    def __init__(self, template: str, key: KeyPair, *, timeout_seconds: float = 10) -> None:
        self._template, self._timeout = template, timeout_seconds
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
            "GET", url, timeout_seconds=self._timeout, max_response_bytes=_STATUS_BYTES_MAX
        )
        try:
            return msgspec.json.decode(answer.body, type=Report)
        except msgspec.DecodeError as error:
            raise MalformedError(f"{url}: not a miner's status ({error})") from error

    async def drain(self, namespace: str, miner: str, address: str, *, draining: bool) -> None:
        """Ask it to drain, or to cancel."""
        await self._tell(
            "POST", self._route(namespace, miner, address, "drain"), {"v": 1, "draining": draining}
        )

    async def remove_disk(self, namespace: str, miner: str, address: str, disk: str) -> None:
        """Drain one disk."""
        await self._tell("DELETE", self._route(namespace, miner, address, f"disks/{quote(disk)}"))

    async def add_disk(self, namespace: str, miner: str, address: str, path: str) -> None:
        """Take a leaving or drained disk into use again."""
        await self._tell("POST", self._route(namespace, miner, address, "disks"), {"path": path})

    async def wipe_disk(self, namespace: str, miner: str, address: str, disk: str) -> None:
        """Delete CyberVein's files of a drained disk."""
        body = {"v": 1, "confirm": disk}
        await self._tell(
            "POST", self._route(namespace, miner, address, f"disks/{quote(disk)}/wipe"), body
        )

    async def disks(self, namespace: str, miner: str, address: str) -> list[DiskReport]:
        """The miner's disks."""
        answer = await self._tell("GET", self._route(namespace, miner, address, "disks"))
        return msgspec.json.decode(answer, type=list[DiskReport])

    def _route(self, namespace: str, miner: str, address: str, route: str) -> str:
        """A signed route: it names the miner that it is meant for."""
        return f"{self.url(namespace, miner)}/v1/{route}?miner={quote(address)}"

    async def _tell(self, method: str, url: str, body: dict[str, object] | None = None) -> bytes:
        data = msgspec.json.encode(body) if body is not None else None
        answer = await self._signed.request(
            method, url, body=data, content_type=_JSON, timeout_seconds=self._timeout
        )
        return answer.body
