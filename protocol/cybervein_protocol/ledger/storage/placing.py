"""`deal.commit` in detail: is every shard where the owner says, and what does bringing it cost?

A receipt is the miner's signature over deal, segment, index, root and size; the verification is a
super node's word that it challenged every shard. Both are checked here, in the state machine, so
that a chain can be replayed without trusting whoever wrote it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, ForbiddenError, LimitError, MalformedError
from cybervein_protocol.ledger.accounts.fees import ingress_fee, size_kib
from cybervein_protocol.ledger.accounts.money import count
from cybervein_protocol.ledger.mining.bonds import pay_fee
from cybervein_protocol.ledger.state.rows import (
    MINERS,
    SHARDS,
    DealRow,
    MinerRow,
    ShardRow,
    shard_id,
)
from cybervein_protocol.ledger.storage.bodies import DealCommit
from cybervein_protocol.ledger.units.run import Run, known_miner
from cybervein_protocol.messages.deals import SegmentEntry, ShardEntry, verify_verification
from cybervein_protocol.messages.receipts import receipt_of_entry, verify_receipt
from cybervein_protocol.messages.repair import decode_repair
from cybervein_protocol.signing import address


def check_commit(run: Run, row: DealRow, body: DealCommit) -> int:
    """KiB of all shards, if everything about them is as the deal says. Raises otherwise."""
    if len(body.segments) > row.segments:
        raise LimitError(
            f"deal.commit: {len(body.segments)} segments, the deal was opened for {row.segments}"
        )
    _check_repair(run, body)
    _check_verification(run, body)
    for number, segment in enumerate(body.segments):
        _check_segment(run, row, body, number, segment)
    shards = [shard for segment in body.segments for shard in segment.shards]
    size = sum(shard.size for shard in shards)
    if size > row.size:
        raise LimitError(f"deal.commit: {size} bytes, the deal was opened for {row.size}")
    return sum(size_kib(shard.size) for shard in shards)


def _check_repair(run: Run, body: DealCommit) -> None:
    """Every super node must be able to repair, or losing one would lose data."""
    sealed_to = {box.super for box in decode_repair(body.repair)}
    missing = [key for key in run.super_nodes if key not in sealed_to]
    if missing:
        raise MalformedError(
            f"deal.commit: repair keys are not sealed to super node {address(missing[0])}; "
            "seal them to every super node of the network"
        )


def _check_verification(run: Run, body: DealCommit) -> None:
    if body.verification.super not in run.super_nodes:
        raise ForbiddenError(
            f"deal.commit: verified by {address(body.verification.super)}, who is no super node"
        )
    verify_verification(body.verification, body.deal, body.segments)


def _check_segment(
    run: Run, row: DealRow, body: DealCommit, number: int, segment: SegmentEntry
) -> None:
    what = f"deal.commit: segment {number}"
    if len(segment.shards) != row.n:
        raise ConflictError(f"{what} has {len(segment.shards)} shards, expected {row.n}")
    if not 1 <= segment.chunks <= run.preset.segment_chunks:
        raise LimitError(
            f"{what} has {segment.chunks} chunks, expected 1 to {run.preset.segment_chunks}"
        )
    if len({shard.size for shard in segment.shards}) != 1:
        raise MalformedError(f"{what} has shards of different sizes; they must be equal")
    check_domains(run, [shard.miner for shard in segment.shards], what)
    for index, shard in enumerate(segment.shards):
        receipt = receipt_of_entry(
            shard, network=run.network, deal=body.deal, segment=number, index=index
        )
        verify_receipt(receipt)


def check_domains(run: Run, miners: Sequence[bytes], what: str) -> None:
    """Raise ConflictError if two shards of a segment share a miner or a failure domain.

    Domains are checked where they are declared; where super nodes derive them from addresses the
    ledger cannot know them.
    """
    rows = [known_miner(run.state, miner) for miner in miners]
    domains = {row.domain for row in rows} if run.preset.declared_domains else set(miners)
    if len(set(miners)) != len(miners) or len(domains) != len(miners):
        raise ConflictError(
            f"{what}: {len(miners)} shards on {len(set(miners))} miners in {len(domains)} failure "
            "domains; each needs its own"
        )


def place(run: Run, deal: bytes, segments: Sequence[SegmentEntry]) -> int:
    """Write all shard rows, and pay the miners for the upload; the veins that cost."""
    kib_of: dict[bytes, int] = {}
    for number, segment in enumerate(segments):
        for index, shard in enumerate(segment.shards):
            kib_of[shard.miner] = kib_of.get(shard.miner, 0) + size_kib(shard.size)
            _put_shard(run, shard_id(deal, number, index), shard)
    return sum(_pay_ingress(run, miner, kib_of[miner]) for miner in sorted(kib_of))


def _put_shard(run: Run, identity: bytes, shard: ShardEntry) -> None:
    miner = hold(run, shard.miner, size_kib(shard.size))
    row = ShardRow(
        root=shard.root,
        miner=shard.miner,
        size=shard.size,
        acc=miner.acc,
        since=run.epoch,
        lost=False,
    )
    run.state.put(SHARDS, identity, row)


def hold(run: Run, miner: bytes, kib: int) -> MinerRow:
    """The miner, now holding one more shard."""
    row = known_miner(run.state, miner)
    row = replace(row, held_kib=row.held_kib + kib, held_shards=row.held_shards + 1)
    run.state.put(MINERS, miner, row)
    return row


def _pay_ingress(run: Run, miner: bytes, kib: int) -> int:
    fee = ingress_fee(kib, run.preset)
    count(run.state, escrowed=-fee)
    row = pay_fee(run.state, known_miner(run.state, miner), fee, run.preset)
    run.state.put(MINERS, miner, row)
    return fee
