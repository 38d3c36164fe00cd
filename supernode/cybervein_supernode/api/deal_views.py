"""Deals and shards as documents, from the ledger's rows."""

from cybervein_protocol.api.super_node.deals import DealDocument, ShardDocument
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.ledger.state.rows import MINERS, DealRow
from cybervein_protocol.ledger.storage.deals import refund
from cybervein_protocol.signing import address
from msgspec.structs import asdict, replace

from cybervein_supernode.chain.view import LedgerView, Shard


def deal_document(digest: bytes, row: DealRow, epoch: int) -> DealDocument:
    """A deal as it stands in `epoch`."""
    fields = asdict(row) | {"owner": address(row.owner)}
    return DealDocument(
        **fields,
        deal=cid_text(digest_cid(digest)),
        epochs_left=max(0, row.expires - epoch) if row.state != "ended" else 0,
        health="degraded" if row.lost and row.state == "active" else "good",
        degraded=row.lost,
    )


def full_deal(view: LedgerView, digest: bytes) -> DealDocument:
    """A deal and what closing it now would give back. Raises UnknownError."""
    row, rows = view.deal(digest), view.rows
    shards = (shard.row for shard in view.shards_of_deal(digest))
    held = [(shard, miner) for shard in shards if (miner := rows.find(MINERS, shard.miner))]
    return replace(deal_document(digest, row, view.head().epoch), refund=refund(row, held))


def shard_document(view: LedgerView, shard: Shard) -> ShardDocument:
    """A shard and where it is."""
    row = shard.row
    holder = view.rows.find(MINERS, row.miner)
    return ShardDocument(
        deal=cid_text(digest_cid(shard.deal)),
        segment=shard.segment,
        index=shard.index,
        root=row.root.hex(),
        size=row.size,
        since=row.since,
        lost=row.lost,
        miner=None if row.lost else address(row.miner),
        url=None if row.lost else (holder.url if holder else ""),
    )
