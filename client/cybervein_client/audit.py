"""The owner's own audit: random chunks of every shard of a file, read and verified."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cybervein_protocol.audit import CHUNK_BYTES, Held, Outcome
from cybervein_protocol.dag import SegmentNode
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import CyberVeinError, ProofError, UnknownError
from cybervein_protocol.signing import address

from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.download.locate import Placed
from cybervein_client.transport import ShardAt

CONCURRENT_MAX = 16


@dataclass(frozen=True, slots=True)
class ShardCheck:
    """What the owner's audit of one shard came to."""

    segment: int
    index: int
    miner: bytes | None
    outcome: Outcome
    reason: str

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "segment": self.segment,
            "index": self.index,
            "miner": address(self.miner) if self.miner else None,
            "outcome": self.outcome.value,
            "reason": self.reason,
        }


async def audit_file(
    segments: Sequence[SegmentNode], placed: Placed, fetcher: ShardFetcher, samples: int
) -> list[ShardCheck]:
    """Read `samples` random 1 KiB chunks of every shard that the file's CID names.

    A shard without a holder is `wrong`, and so is another one that is held in its place.
    """
    gate = asyncio.Semaphore(CONCURRENT_MAX)

    async def check(segment: int, index: int, root: bytes) -> ShardCheck:
        found = placed.get(segment, {}).get(index)
        if found is None:
            return ShardCheck(segment, index, None, Outcome.WRONG, "no miner holds it")
        deal, shard = found
        if shard.root != root:
            reason = f"the file names shard {root.hex()[:16]}, the ledger {shard.root.hex()[:16]}"
            return ShardCheck(segment, index, shard.miner, Outcome.WRONG, reason)
        async with gate:
            outcome, reason = await _check_shard(fetcher, deal, shard, samples)
        return ShardCheck(segment, index, shard.miner, outcome, reason)

    checks = [
        check(number, index, cid_root(shard))
        for number, segment in enumerate(segments)
        for index, shard in enumerate(segment.shards)
    ]
    return list(await asyncio.gather(*checks))


async def _check_shard(
    fetcher: ShardFetcher, deal: str, shard: ShardAt, samples: int
) -> tuple[Outcome, str]:
    total = Held(shard.root, shard.size).chunks
    drawn = random.SystemRandom().sample(range(total), min(samples, total))
    try:
        for chunk in drawn:
            await fetcher.part(deal, shard, chunk * CHUNK_BYTES, CHUNK_BYTES)
    except (ProofError, UnknownError) as error:
        return Outcome.WRONG, str(error)
    except CyberVeinError as error:
        return Outcome.TIMEOUT, str(error)
    return Outcome.PASSED, ""
