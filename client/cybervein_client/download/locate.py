"""Who holds the shards now: the ledger's rows, or the last known ones if the super node is away."""

import json
import time
from collections import defaultdict
from typing import Any

from cybervein_protocol.errors import UnavailableError, UnknownError
from cybervein_protocol.signing import address, parse_address

from cybervein_client.catalogue import Catalogue, FileRow
from cybervein_client.ledger import CustomersSuperNode, Holder
from cybervein_client.transport import ShardAt

Placed = dict[int, dict[int, tuple[str, ShardAt]]]
"""By segment of the file, by index: the deal and where the shard is."""


class Locator:
    """Finds shards and knows the epoch for the orders to read them."""

    def __init__(
        self, catalogue: Catalogue, supernode: CustomersSuperNode, epoch_seconds: int
    ) -> None:
        self._catalogue = catalogue
        self._supernode = supernode
        self.epoch_seconds = epoch_seconds
        self._estimate: tuple[int, float] | None = None

    async def epoch(self) -> int:
        """The current epoch, estimated from the clock while the super node is away."""
        try:
            return await self._supernode.open_epoch()
        except UnavailableError:
            if self._estimate is None:
                raise
            epoch, then = self._estimate
            # Between two commands no monotonic clock runs on; epochs at least never go back.
            return epoch + max(0, int((time.time() - then) / self.epoch_seconds))

    async def locate(self, file: FileRow) -> Placed:
        """Where every shard of the file is. Raises UnavailableError if nobody ever knew."""
        placed: Placed = defaultdict(dict)
        for deal in self._catalogue.deals(file.id):
            for holder in await self._holders(deal.cid):
                shard = ShardAt(holder.root, holder.size, holder.miner, holder.url)
                placed[deal.first + holder.segment][holder.index] = (deal.cid, shard)
        return placed

    async def _holders(self, deal: str) -> list[Holder]:
        try:
            holders = await self._supernode.holders(deal)
            epoch = await self._supernode.open_epoch()
        except UnavailableError:
            remembered = self._catalogue.holders(deal)
            if remembered is None:
                raise
            return self._recall(json.loads(remembered))
        except UnknownError:  # an open that never reached the ledger
            return []
        data = {"epoch": epoch, "at": time.time(), "holders": [_to_json(h) for h in holders]}
        self._catalogue.save_holders(deal, json.dumps(data).encode())
        return holders

    def _recall(self, data: dict[str, Any]) -> list[Holder]:
        self._estimate = (data["epoch"], data["at"])
        return [
            Holder(
                segment=row["segment"],
                index=row["index"],
                root=bytes.fromhex(row["root"]),
                size=row["size"],
                miner=parse_address(row["miner"]),
                url=row["url"],
            )
            for row in data["holders"]
        ]


def _to_json(holder: Holder) -> dict[str, Any]:
    return {
        "segment": holder.segment,
        "index": holder.index,
        "root": holder.root.hex(),
        "size": holder.size,
        "miner": address(holder.miner),
        "url": holder.url,
    }
