"""A super node over HTTPS: which network it runs, the epoch, and who has proved and who drains."""

import ssl
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from cybervein_protocol.errors import MalformedError
from cybervein_runtime.http_client import SignedClient

S = TypeVar("S", bound=msgspec.Struct)
_PAGE = 500
_BODY_BYTES_MAX = 32 << 20


class Head(msgspec.Struct, frozen=True):
    """`GET /v1/network`, as much as is needed."""

    network: str
    epoch: int
    height: int


class Standing(msgspec.Struct, frozen=True):
    """A miner on the ledger, as `GET /v1/miners` has it."""

    address: str
    group: str = ""
    owner: str = ""
    last_proof_epoch: int | None = None
    held_shards: int = 0
    draining: bool = False

    @property
    def domain(self) -> tuple[str, str]:
        """What fails together with it."""
        return self.group, self.owner


class _Page(msgspec.Struct):
    miners: list[Standing]
    next: str | None = None


class SuperNodeClient:
    """One super node, trusted by the system's authorities or by `authority` (PEM)."""

    def __init__(self, url: str, authority: str = "") -> None:
        self.url, self.authority = url.rstrip("/"), authority
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> SignedClient:
        if self._session is None:
            context = ssl.create_default_context()
            if self.authority:
                context.load_verify_locations(cadata=self.authority)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=2, ssl=context), auto_decompress=False
            )
        return SignedClient(None, self._session)

    async def network_file(self) -> bytes:
        """Its `network.json`. Raises UnavailableError."""
        return (await self._client().request("GET", f"{self.url}/v1/network.json")).body

    async def head(self) -> Head:
        """Network, epoch and height."""
        return await self._get("/v1/network", Head)

    async def miners(self) -> dict[str, Standing]:
        """Every miner of the ledger by address."""
        found: dict[str, Standing] = {}
        after = ""
        while True:
            more = f"&after={quote(after)}" if after else ""
            page = await self._get(f"/v1/miners?limit={_PAGE}{more}", _Page)
            found |= {each.address: each for each in page.miners}
            if not page.next or page.next == after:
                return found
            after = page.next

    async def _get(self, path: str, kind: type[S]) -> S:
        answer = await self._client().request(
            "GET", self.url + path, timeout_seconds=20, max_response_bytes=_BODY_BYTES_MAX
        )
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError as error:
            raise MalformedError(
                f"{self.url}{path}: not what a super node says ({error})"
            ) from error
