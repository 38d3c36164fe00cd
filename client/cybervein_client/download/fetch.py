"""One shard, or a range of it, from its miner: under an order, verified against its root."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from blake3 import blake3
from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import ProofError
from cybervein_protocol.messages import Order, Verb, sign_order
from cybervein_protocol.signing import KeyPair, address
from cybervein_protocol.tree import SliceError, size_of_slice, verify_slice
from multiformats import CID

from cybervein_client.download.locate import Locator
from cybervein_client.transport import BulkTransport, Receiving, ShardAt

_ORDER_ID_BYTES: Final = 32


@dataclass(kw_only=True, eq=False)
class ShardFetcher:
    """Reads (and deletes) shards of the wallet's own deals. Wrong bytes raise ProofError."""

    transport: BulkTransport
    locator: Locator
    key: KeyPair
    network: CID
    order_epochs: int

    async def whole(self, deal: str, shard: ShardAt, coming: Receiving | None = None) -> bytes:
        """All bytes of the shard; `coming` shows how far it is."""
        order = await self._order("GET", deal, shard, shard.size)
        data = await self.transport.get(shard, order, coming=coming)
        if await asyncio.to_thread(_root, data) != shard.root:
            raise ProofError(
                f"miner {address(shard.miner)} sent wrong bytes for shard {shard.root.hex()[:16]}"
            )
        return data

    async def part(
        self,
        deal: str,
        shard: ShardAt,
        offset: int,
        length: int,
        coming: Receiving | None = None,
    ) -> bytes:
        """Bytes [offset, offset + length) of the shard, by a Bao slice."""
        most = size_of_slice(shard.size, offset, length)
        order = await self._order("GET", deal, shard, most)
        data = await self.transport.slice(shard, order, offset, length, most, coming=coming)
        try:
            return verify_slice(data, shard.root, offset, length, shard.size)
        except SliceError as error:
            raise ProofError(
                f"miner {address(shard.miner)} sent a wrong slice of shard "
                f"{shard.root.hex()[:16]} ({error})"
            ) from error

    async def delete(self, deal: str, shard: ShardAt) -> None:
        """Tell the miner that the shard may go."""
        await self.transport.delete(shard, await self._order("DELETE", deal, shard, shard.size))

    async def _order(self, verb: Verb, deal: str, shard: ShardAt, max_bytes: int) -> Order:
        epoch = await self.locator.epoch()
        return sign_order(
            self.key,
            network=self.network,
            order_id=secrets.token_bytes(_ORDER_ID_BYTES),
            deal=parse_cid(deal, "deal"),
            miner=shard.miner,
            bearer=self.key.public,
            verb=verb,
            root=shard.root,
            max_bytes=max_bytes,
            not_after_epoch=epoch + self.order_epochs,
        )


def _root(data: bytes) -> bytes:
    return blake3(data).digest()
