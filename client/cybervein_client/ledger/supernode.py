"""Typed calls to a super node (docs/wire.md section 6)."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from cybervein_protocol.encoding import cid_text, decode, encode
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.messages import (
    OrderGrant,
    OrderGrants,
    OrderRequest,
    SegmentEntry,
    ShardPlan,
    Verification,
    VerificationAnswer,
    VerifyRequest,
)
from cybervein_protocol.messages.deals import (
    ORDER_GRANTS_BYTES_MAX,
    VERIFICATION_ANSWER_BYTES_MAX,
)
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.http_client import Response, SignedClient
from cybervein_runtime.retry import retry
from multiformats import CID

VERIFY_SECONDS_MAX = 180
UNIT_WAIT_SECONDS = 40
ORDERS_SECONDS_MAX = 30
RETRY_SECONDS = 0.3
_EPOCH_FRESH_SECONDS = 2.0
T = TypeVar("T")


class NetworkView(msgspec.Struct, frozen=True):
    """What the client uses of `GET /v1/network`; further fields are left alone."""

    epoch: int
    height: int
    tips: list[str]


class UnitStatus(msgspec.Struct, frozen=True):
    """A unit as the ledger sees it: `pending`, `final` or `void` (then `code` says why)."""

    status: str = "pending"
    id: str = ""
    height: int | None = None
    code: str | None = None


class AccountView(msgspec.Struct, frozen=True):
    """An account; amounts in veins."""

    balance: int
    nonce: int
    bonded: int = 0
    bond_due: int = 0


class _HolderJson(msgspec.Struct, frozen=True):
    segment: int
    index: int
    root: str
    size: int
    miner: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a shard is now: `segment` counts within its deal, `size` in bytes."""

    segment: int
    index: int
    root: bytes
    size: int
    miner: bytes
    url: str


class SuperNode:
    """One super node, over signed HTTP.

    `attempts` above 1 lets long work outlive the super node's restart.
    """

    def __init__(self, url: str, http: SignedClient) -> None:
        self.url = url.rstrip("/")
        self._http = http
        self.attempts = 1
        self._epoch = 0
        self._epoch_read = float("-inf")

    async def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 -- JSON
        """The JSON at a path under `/v1`."""
        suffix = f"?{urlencode(query)}" if query else ""
        url = f"{self.url}/v1{path}{suffix}"
        return await self._patiently(lambda: self._http.get_json(url))

    async def _post(self, path: str, body: bytes, seconds: float) -> Response:
        url = f"{self.url}/v1{path}"
        return await self._patiently(
            lambda: self._http.request("POST", url, body=body, timeout_seconds=seconds)
        )

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Everything that is asked may be asked again: a restart is waited for."""
        return await retry(call, attempts=self.attempts, base_seconds=RETRY_SECONDS)

    async def network(self) -> NetworkView:
        """Epoch, height and tips now."""
        view = _parse(await self.get("/network"), NetworkView, "/v1/network")
        self._epoch, self._epoch_read = view.epoch, time.monotonic()
        return view

    async def epoch(self) -> int:
        """The current epoch, at most two seconds old."""
        if time.monotonic() - self._epoch_read > _EPOCH_FRESH_SECONDS:
            await self.network()
        return self._epoch

    async def account(self, public: bytes) -> AccountView:
        """An account; one that the ledger does not know is empty."""
        try:
            data = await self.get(f"/accounts/{address(public)}")
        except UnknownError:
            return AccountView(balance=0, nonce=0)
        return _parse(data, AccountView, "/v1/accounts")

    async def unit(self, unit: str) -> UnitStatus | None:
        """A unit's status, None if the super node has never seen it."""
        try:
            return _parse(await self.get(f"/units/{unit}"), UnitStatus, "/v1/units")
        except UnknownError:
            return None

    async def send_unit(self, raw: bytes) -> UnitStatus:
        """Hand a unit in and wait (at most 30 s) until it is in a block."""
        answer = await self._post("/units?wait=final", raw, UNIT_WAIT_SECONDS)
        return _parse(answer.json(), UnitStatus, "/v1/units")

    async def orders(
        self, deal: CID, shards: list[ShardPlan], avoid: list[bytes]
    ) -> list[OrderGrant]:
        """PUT orders for these shards, at miners that are none of `avoid`."""
        request = OrderRequest(v=1, shards=shards, avoid=avoid)
        path = f"/deals/{cid_text(deal)}/orders"
        answer = await self._post(path, encode(request), ORDERS_SECONDS_MAX)
        return decode(answer.body, OrderGrants, "order grants", ORDER_GRANTS_BYTES_MAX).orders

    async def verify(self, deal: CID, segments: list[SegmentEntry]) -> Verification:
        """Have every shard challenged; the signed result goes into `deal.commit`."""
        path = f"/deals/{cid_text(deal)}/verify"
        request = VerifyRequest(v=1, segments=segments)
        answer = await self._post(path, encode(request), VERIFY_SECONDS_MAX)
        return decode(
            answer.body, VerificationAnswer, "verification", VERIFICATION_ANSWER_BYTES_MAX
        ).verification

    async def miner_urls(self) -> dict[bytes, str]:
        """Where each registered miner is reached."""
        listing = await self.get("/miners")
        rows = listing.get("miners", []) if isinstance(listing, dict) else listing
        return {parse_address(row["address"]): str(row["url"]) for row in rows}

    async def holders(self, deal: str) -> list[Holder]:
        """Who holds the deal's shards now; a shard without a holder is left out."""
        data = await self.get(f"/deals/{deal}/shards")
        listed = data.get("shards") if isinstance(data, dict) else data
        rows = _parse(listed, list[_HolderJson], "/v1/deals")
        return [
            Holder(
                segment=row.segment,
                index=row.index,
                root=_hex(row.root),
                size=row.size,
                miner=parse_address(row.miner),
                url=row.url,
            )
            for row in rows
            if row.miner and row.url
        ]


def live_domains(listing: Any) -> int:  # noqa: ANN401 -- JSON
    """Failure domains with a miner that answers and stays, in the JSON of `GET /v1/miners`.

    A domain is a group and its owner; a miner without both counts for itself.
    """
    rows = listing.get("miners", []) if isinstance(listing, dict) else listing
    return len(
        {
            row.get("domain") or (row.get("group") or row["address"], row.get("owner"))
            for row in rows
            if row.get("online", True) and not row.get("draining")
        }
    )


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"super node: {text[:80]!r} is not a hex root") from error


def _parse(data: object, kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise MalformedError(f"super node {what}: {error}; is it of the same version?") from error
