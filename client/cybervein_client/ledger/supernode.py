"""What a customer asks of a super node beyond the shared client: holders, URLs, live domains."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from cybervein_protocol.api.super_node.deals import ShardDocument
from cybervein_protocol.api.super_node.miners import MinerDocument
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.signing import parse_address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.super_node import SuperNodeClient

_EPOCH_FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a shard is now: `segment` counts within its deal, `size` in bytes."""

    segment: int
    index: int
    root: bytes
    size: int
    miner: bytes
    url: str


class CustomersSuperNode(SuperNodeClient):
    """One super node, asked by the owner of files."""

    def __init__(self, url: str, http: SignedClient) -> None:
        super().__init__(url, http)
        self._epoch = 0
        self._epoch_read = float("-inf")

    async def network(self) -> NetworkDocument:
        """Where the network stands now."""
        document = await super().network()
        self._epoch, self._epoch_read = document.epoch, time.monotonic()
        return document

    async def open_epoch(self) -> int:
        """The current epoch, at most two seconds old."""
        if time.monotonic() - self._epoch_read > _EPOCH_FRESH_SECONDS:
            await self.network()
        return self._epoch

    async def miner_urls(self) -> dict[bytes, str]:
        """Where each registered miner is reached; a row without a key is left out."""
        urls: dict[bytes, str] = {}
        for each in await self.miners():
            with suppress(MalformedError):
                urls[parse_address(each.address)] = each.url
        return urls

    async def holders(self, deal: str) -> list[Holder]:
        """Who holds the deal's shards now; a row without a holder, or without sense, is left out.

        Enough others bring the file back all the same.
        """
        found = []
        for shard in await self.shards(deal):
            with suppress(MalformedError):
                if shard.miner and shard.url:
                    found.append(_holder(shard, shard.miner, shard.url))
        return found


def live_domains(miners: Iterable[MinerDocument]) -> int:
    """Failure domains with a miner that answers and stays.

    A domain is a group and its owner; a miner without a group counts for itself.
    """
    staying = (each for each in miners if each.online and not each.draining)
    return len({(each.group or each.address, each.owner) for each in staying})


def _holder(shard: ShardDocument, miner: str, url: str) -> Holder:
    return Holder(
        segment=shard.segment,
        index=shard.index,
        root=_hex(shard.root),
        size=shard.size,
        miner=parse_address(miner),
        url=url,
    )


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"super node: {text[:80]!r} is not a hex root") from error
