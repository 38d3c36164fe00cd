"""A committed deal of one segment over fake miners, each in a domain of its own."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from cybervein_protocol.coding import SegmentSecret, SegmentShape, encode_segment
from cybervein_protocol.coding.keys import repair_key
from cybervein_protocol.messages import SegmentEntry, ShardEntry
from fake_miner import FakeMiner
from multiformats import CID
from super_lab import Lab

PLAIN_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Stored:
    """The deal, its segment and, by index, roots and masked shards."""

    deal: CID
    segment: SegmentEntry
    shards: list[tuple[bytes, bytes]]


async def register(lab: Lab, miners: Iterable[FakeMiner]) -> None:
    for miner in miners:
        await miner.start()
        await lab.register(miner.key, miner.url, miner.name)
    await lab.node.roster.refresh()


async def store(lab: Lab, miners: list[FakeMiner], k: int) -> Stored:
    """Shard i lies at miner i; nothing but the ledger's own rules was asked."""
    opened = await open_and_upload(lab, miners, k)
    await lab.commit_deal(opened[0].deal, opened[0].segment, opened[1])
    return opened[0]


async def open_and_upload(lab: Lab, miners: list[FakeMiner], k: int) -> tuple[Stored, bytes]:
    """The deal before its commit, and its repair key."""
    secret = SegmentSecret(secrets.token_bytes(32), secrets.token_bytes(32))
    shape = SegmentShape(PLAIN_BYTES, k, len(miners), last=True)
    shards = encode_segment(secrets.token_bytes(PLAIN_BYTES), secret, shape)
    deal = await lab.open_deal(len(shards[0][1]), k, len(miners))
    entries = []
    for index, (miner, (root, data)) in enumerate(zip(miners, shards, strict=True)):
        miner.shards[root] = data
        receipt = miner.receipt(deal, index, root, len(data))
        entries.append(
            ShardEntry(root=root, miner=miner.key.public, size=len(data), receipt=receipt)
        )
    segment = SegmentEntry(salt=secret.salt, size=PLAIN_BYTES, chunks=shape.chunks, shards=entries)
    return Stored(deal, segment, shards), repair_key(secret.file_key, secret.salt)
