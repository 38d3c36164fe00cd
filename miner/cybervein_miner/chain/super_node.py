"""What this miner asks of a super node beyond the shared client: always about itself."""

from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.api.super_node.miners import FullMinerDocument, ReleaseDocument
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.parameters import parse_root
from cybervein_runtime.super_node import SuperNodeClient
from multiformats import CID

from cybervein_miner.chain.clock import NetworkClock


def beacon_of(text: str) -> bytes:
    """A beacon as a super node writes it. Raises MalformedError: what is asked next may be well."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"super node: beacon {text[:80]!r} is not hex") from error


class MinersSuperNode(SuperNodeClient):
    """One super node, asked by one miner."""

    def __init__(self, url: str, http: SignedClient, clock: NetworkClock, miner: bytes) -> None:
        super().__init__(url, http)
        self._clock, self._address = clock, address(miner)

    async def network(self) -> NetworkDocument:
        """The open epoch; sets the network's clock."""
        asked = self._clock.monotonic()
        document = await super().network()
        self._clock.observe(document.now, asked, self._clock.monotonic())
        return document

    async def own_miner(self, *, epochs: int = 0) -> FullMinerDocument | None:
        """This miner with its last closed `epochs`, None before its registration."""
        return await self.miner(self._address, epochs=epochs)

    async def own_account(self) -> AccountDocument:
        """This miner's account; an unknown one is empty."""
        return await self.account(self._address)

    async def own_roots(self, deal: CID) -> set[bytes]:
        """Roots of a deal that this miner must hold."""
        held = await self.shards(cid_text(deal))
        return {parse_root(shard.root) for shard in held if shard.miner == self._address}

    async def beacon(self, epoch: int) -> bytes:
        """The beacon of a closed epoch."""
        return beacon_of((await self.epoch(epoch)).beacon)

    async def release_own(self, key: KeyPair, roots: list[bytes]) -> ReleaseDocument:
        """Ask to be relieved of these shards, instead of any named before."""
        return await self._signed(key).release(self._address, roots)

    async def name_own(self, key: KeyPair, instance: str) -> None:
        """Say that this process runs under the miner's key."""
        await self._signed(key).name_instance(self._address, instance)

    def _signed(self, key: KeyPair) -> SuperNodeClient:
        signed = SignedClient(key, self.http.session, self.http.trust, self._clock.now)
        return SuperNodeClient(self.url, signed)
