"""Typed calls to a super node (docs/wire.md section 6). Fields that are not used are left alone."""

from typing import Any, Final, TypeVar

import msgspec
from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.messages import CommitResponse, ReleaseRequest, SpaceProof
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import SignedClient
from multiformats import CID

from cybervein_miner.chain.clock import NetworkClock

ANSWER_BYTES_MAX: Final = 8 << 20
TIMEOUT_SECONDS: Final = 10.0
UNIT_SECONDS: Final = 40.0
JUDGE_SECONDS: Final = 120.0
T = TypeVar("T")


class NetworkView(msgspec.Struct, frozen=True):
    """The open epoch, its beacon (hex), the tips to cite; its end and the time now (unix s)."""

    epoch: int
    beacon: str
    tips: list[str]
    now: float
    epoch_ends: float


class BatchView(msgspec.Struct, frozen=True):
    """A batch as the ledger has it; epochs."""

    batch: str
    state: str
    registered: int
    counts_from: int = 0
    reason: str = ""


class DrainView(msgspec.Struct, frozen=True):
    """Shards that a super node still has to move, and why it makes no progress.

    `promised` are shards of open deals that orders have named this miner for.
    """

    remaining: int = 0
    promised: int = 0
    blocked_by: str = ""


class MinerView(msgspec.Struct, frozen=True):
    """This miner as the ledger has it; amounts in veins. `plots` are live, in any state."""

    url: str
    payout: str
    plots: int = 0
    plots_active: int = 0
    held_shards: int = 0
    last_proof_epoch: int | None = None
    draining: bool = False
    drain: DrainView = DrainView()
    bonded: int = 0
    batches: list[BatchView] = []


class AccountView(msgspec.Struct, frozen=True):
    """This miner's own account."""

    balance: int = 0
    nonce: int = 0


class UnitView(msgspec.Struct, frozen=True):
    """A unit: `pending`, `final`, or `void` with a code."""

    status: str
    code: str | None = None
    reason: str | None = None


class Judged(msgspec.Struct, frozen=True):
    """What a super node made of a proof."""

    accepted: bool = True
    reason: str = ""


class DealView(msgspec.Struct, frozen=True):
    """What a miner needs of a deal: `open`, `active` or `ended`, and when it expires."""

    state: str
    expires: int = 0


class HolderView(msgspec.Struct, frozen=True):
    """Who holds a shard of a deal."""

    root: str
    miner: str | None = None


class Released(msgspec.Struct, frozen=True):
    """Answer to a request for relief: the roots (hex) that the ledger still has here."""

    shards: list[str]
    blocked_by: str = ""


class SuperNode:
    """One super node; every call raises UnavailableError where it does not answer."""

    def __init__(self, url: str, http: SignedClient, clock: NetworkClock, miner: bytes) -> None:
        self.url, self._http, self._clock = url.rstrip("/"), http, clock
        self._address = address(miner)

    async def network(self) -> NetworkView:
        """The open epoch; sets the network's clock."""
        asked = self._clock.monotonic()
        view = _parse(await self._get("/network"), NetworkView, "/v1/network")
        self._clock.observe(view.now, asked, self._clock.monotonic())
        return view

    async def miner(self) -> MinerView | None:
        """This miner, None before its registration."""
        try:
            data = await self._get(f"/miners/{self._address}?epochs=0")
        except UnknownError:
            return None
        return _parse(data, MinerView, "/v1/miners")

    async def account(self) -> AccountView:
        """This miner's account; an unknown one is empty."""
        try:
            data = await self._get(f"/accounts/{self._address}")
        except UnknownError:
            return AccountView()
        return _parse(data, AccountView, "/v1/accounts")

    async def beacon(self, epoch: int) -> bytes:
        """The beacon of a closed epoch."""
        data = await self._get(f"/epochs/{epoch}")
        try:
            return bytes.fromhex(data["beacon"])
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError(f"/v1/epochs/{epoch}: no beacon in the answer") from error

    async def unit(self, unit: CID) -> UnitView | None:
        """A unit's fate, None where it was never seen."""
        try:
            return _parse(await self._get(f"/units/{cid_text(unit)}"), UnitView, "/v1/units")
        except UnknownError:
            return None

    async def send_unit(self, raw: bytes) -> UnitView:
        """Hand a unit in and wait until it is in a block (or 30 s: then it is `pending`)."""
        answer = await self._http.request(
            "POST", f"{self.url}/v1/units?wait=final", body=raw, timeout_seconds=UNIT_SECONDS
        )
        data = answer.json()
        return _parse({"status": "pending"} | data, UnitView, "/v1/units")

    async def send_space_proof(self, proof: SpaceProof) -> Judged:
        """Post a space proof; it is judged at once."""
        return await self._judge("/space-proofs", encode(proof))

    async def send_commit_response(self, response: CommitResponse) -> Judged:
        """Post a commit response; it is judged at once."""
        return await self._judge("/commit-responses", encode(response))

    async def deal(self, deal: CID) -> DealView | None:
        """A deal, None where the ledger does not know it."""
        try:
            return _parse(await self._get(f"/deals/{cid_text(deal)}"), DealView, "/v1/deals")
        except UnknownError:
            return None

    async def own_roots(self, deal: CID) -> set[bytes]:
        """Roots of a deal that this miner must hold."""
        data = await self._get(f"/deals/{cid_text(deal)}/shards")
        rows = _parse(
            data.get("shards", []) if isinstance(data, dict) else data,
            list[HolderView],
            "/v1/deals/…/shards",
        )
        return {bytes.fromhex(row.root) for row in rows if row.miner == self._address}

    async def release(self, key: KeyPair, roots: list[bytes]) -> Released:
        """Ask to be relieved of these shards, instead of any named before."""
        url = f"{self.url}/v1/miners/{self._address}/release"
        body = encode(ReleaseRequest(v=1, shards=roots))
        signed = SignedClient(key, self._http.session, self._http.trust)
        answer = await signed.request("POST", url, body=body, timeout_seconds=UNIT_SECONDS)
        return _parse(answer.json(), Released, "/v1/miners/…/release")

    async def _judge(self, path: str, body: bytes) -> Judged:
        answer = await self._http.request(
            "POST", f"{self.url}/v1{path}", body=body, timeout_seconds=JUDGE_SECONDS
        )
        return _parse(answer.json(), Judged, f"/v1{path}")

    async def _get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        answer = await self._http.request(
            "GET",
            f"{self.url}/v1{path}",
            timeout_seconds=TIMEOUT_SECONDS,
            max_response_bytes=ANSWER_BYTES_MAX,
        )
        return answer.json()


def _parse(data: object, kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise MalformedError(f"super node {what}: {error}; is it of the same version?") from error
