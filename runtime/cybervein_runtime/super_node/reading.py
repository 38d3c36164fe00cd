"""Public questions to a super node, each answered by its document.

Every call raises UnavailableError where the super node does not answer, and MalformedError where
its answer is not of the document.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import urlencode

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.api.super_node.deals import (
    DealDocument,
    DealListing,
    ShardDocument,
    ShardListing,
)
from cybervein_protocol.api.super_node.epochs import FullEpochDocument
from cybervein_protocol.api.super_node.holdings import LivePlotListing, OwedShardListing
from cybervein_protocol.api.super_node.miners import FullMinerDocument, ListedMiner
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.api.super_node.units import UnitDocument
from cybervein_protocol.errors import UnknownError

from cybervein_runtime.http_client import Response, SignedClient
from cybervein_runtime.retry import retry
from cybervein_runtime.super_node.pages import PAGE_BYTES_MAX, MinerPages

ANSWER_BYTES_MAX: Final = 32 << 20
READ_SECONDS_MAX: Final = 20.0
RETRY_SECONDS: Final = 0.3
_NETWORK_FILE_BYTES_MAX: Final = 1 << 20
D = TypeVar("D", bound=Document)
T = TypeVar("T")


class SuperNodeReader:
    """One super node. `attempts` above 1 lets long work outlive its restart."""

    def __init__(self, url: str, http: SignedClient) -> None:
        self.url = url.rstrip("/")
        self.http = http
        self.attempts = 1

    async def network(self) -> NetworkDocument:
        """Where the network stands now."""
        return await self._read("/network", NetworkDocument)

    async def network_file(self) -> bytes:
        """Its `network.json`, to be checked by `parse_network`."""
        return await self._body(f"{self.url}/v1/network.json", _NETWORK_FILE_BYTES_MAX)

    async def account(self, address: str) -> AccountDocument:
        """An account; one that the ledger does not know is empty."""
        return await self._read(f"/accounts/{address}", AccountDocument)

    async def unit(self, unit: str) -> UnitDocument | None:
        """A unit, None if the super node has never seen it."""
        return await self._find(f"/units/{unit}", UnitDocument)

    async def epoch(self, number: int) -> FullEpochDocument:
        """What closing an epoch settled. Raises UnknownError while it is open."""
        return await self._read(f"/epochs/{number}", FullEpochDocument)

    async def miner(self, address: str, *, epochs: int = 0) -> FullMinerDocument | None:
        """A miner with its last closed `epochs`, None before its registration."""
        return await self._find(f"/miners/{address}?epochs={epochs}", FullMinerDocument)

    async def miners(self) -> list[ListedMiner]:
        """All miners by key, a page at a time; `pages` has the bounds."""
        pages = MinerPages(self.url)
        while pages.path is not None:
            url = self.url + pages.path
            pages.take(await self._body(url, PAGE_BYTES_MAX))
        return pages.miners

    async def live_plots(self, address: str, after: str) -> LivePlotListing:
        """A page of a miner's live plots. Raises UnknownError, also where 0.2.0 answers."""
        return await self._read(f"/miners/{address}/plots?after={after}", LivePlotListing)

    async def owed_shards(self, address: str, after: str) -> OwedShardListing:
        """A page of the shards that a miner must hold. Raises as `live_plots`."""
        return await self._read(f"/miners/{address}/shards?after={after}", OwedShardListing)

    async def unit_bytes(self, unit: str, bytes_max: int) -> bytes:
        """A unit's signed encoding, to be checked by its CID. Raises UnknownError."""
        return await self._body(f"{self.url}/v1/units/{unit}/raw", bytes_max)

    async def deals(self, owner: str) -> list[DealDocument]:
        """Deals of an owner."""
        return (await self._read(f"/deals?{urlencode({'owner': owner})}", DealListing)).deals

    async def deal(self, deal: str) -> DealDocument | None:
        """A deal, None where the ledger does not know it."""
        return await self._find(f"/deals/{deal}", DealDocument)

    async def shards(self, deal: str) -> list[ShardDocument]:
        """Where a deal's shards are."""
        return (await self._read(f"/deals/{deal}/shards", ShardListing)).shards

    async def _find(self, path: str, kind: type[D]) -> D | None:
        try:
            return await self._read(path, kind)
        except UnknownError:
            return None

    async def _read(self, path: str, kind: type[D]) -> D:
        url = f"{self.url}/v1{path}"
        return decode_document(await self._body(url, ANSWER_BYTES_MAX), kind, url, ANSWER_BYTES_MAX)

    async def _body(self, url: str, bytes_max: int) -> bytes:
        async def get() -> Response:
            return await self.http.request(
                "GET", url, timeout_seconds=READ_SECONDS_MAX, max_response_bytes=bytes_max
            )

        return (await self._patiently(get)).body

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Everything that is asked may be asked again: a restart is waited for."""
        return await retry(call, attempts=self.attempts, base_seconds=RETRY_SECONDS)
