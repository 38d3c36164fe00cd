"""Miners as documents: the ledger's rows, and what this super node saw itself."""

from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.api.super_node.miners import (
    AuditCounts,
    BatchDocument,
    FullMinerDocument,
    InstanceDocument,
    ListedMiner,
    MinerDocument,
)
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.mining.contribution import space_bytes, weight
from cybervein_protocol.ledger.state.rows import BatchRow, MinerRow
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from cybervein_supernode.api.chain_views import contribution_document
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.node.node import SuperNodeParts


def weight_of(row: MinerRow, preset: Preset) -> int:
    """A miner's weight as the ledger stands."""
    return weight(space_bytes(row.space, row.plots_active, preset), row.bandwidth or 0, preset)


def listed_miner(node: SuperNodeParts, key: bytes, row: MinerRow, total: int) -> ListedMiner:
    """One entry of the listing; `total` is the weight of all miners."""
    share = weight_of(row, node.desk.view.preset) * 1_000_000 // total if total else 0
    return ListedMiner(**asdict(miner_document(node, key, row)), weight_share=share)


def full_miner(node: SuperNodeParts, key: bytes, epochs: int) -> FullMinerDocument:
    """One miner with its batches and its last closed `epochs`."""
    view = node.desk.view
    promised = node.departures.promised(key)
    standing = miner_document(node, key, view.miner(key), promised=promised)
    return FullMinerDocument(
        **asdict(standing),
        batches=[batch_document(digest, batch) for digest, batch in view.batches_of(key)],
        epochs=_history(view, key, epochs),
        instance=node.roster.seen(key).instance,
        instances=instance_documents(node, key),
    )


def instance_documents(node: SuperNodeParts, key: bytes) -> list[InstanceDocument]:
    """Processes that named themselves under a miner's key."""
    named = node.roster.instances.of(key)
    return [InstanceDocument(name=name, heard=heard) for name, heard in named.items()]


def miner_document(
    node: SuperNodeParts, key: bytes, row: MinerRow, promised: int | UnsetType = UNSET
) -> MinerDocument:
    """A miner's standing: its row, and what this super node saw last."""
    preset, seen = node.desk.view.preset, node.roster.seen(key)
    return MinerDocument(
        address=address(key),
        url=row.url,
        group=row.group,
        owner=row.owner,
        payout=address(row.payout),
        registered_epoch=row.registered,
        plots=row.plots_live,
        plots_pending=row.plots_pending + row.plots_passed,
        plots_active=row.plots_active,
        space_estimates=list(row.space),
        space_bytes=space_bytes(row.space, row.plots_active, preset),
        bytes_per_second=row.bandwidth or 0,
        weight=weight_of(row, preset),
        held_kib=row.held_kib,
        held_shards=row.held_shards,
        draining=row.drains,
        bonded=row.bonded,
        bond_due=bond_due(row, preset),
        rewards=row.rewards,
        fees=row.fees,
        penalties=row.penalties,
        proofs=row.proofs,
        last_proof_epoch=_marked(row.space_epoch),
        last_bandwidth_epoch=_marked(row.bandwidth_epoch),
        audits=_audits(row),
        last_audit=row.audit,
        last_audit_epoch=_marked(row.audit_epoch),
        chunks_challenged=row.chunks_challenged,
        chunks_good=row.chunks_good,
        online=seen.online,
        free_bytes=seen.free_bytes,
        last_seen=seen.wall,
        unreachable=seen.error,
        drain=node.mover.outlook(key, row.held_shards if row.drains else None, promised),
        asked=seen.asked,
        asked_url=seen.url,
    )


def batch_document(digest: bytes, row: BatchRow) -> BatchDocument:
    """A batch and its state."""
    return BatchDocument(
        batch=cid_text(digest_cid(digest)),
        state=row.state,
        registered=row.registered,
        counts_from=row.counts_from,
        plots=len(row.plots),
        live=row.live,
        reason=row.reason,
    )


def _audits(row: MinerRow) -> AuditCounts:
    return AuditCounts(
        passed=row.audits_passed,
        wrong=row.audits_wrong,
        timeout=row.audits_timeout,
        verifier=row.audits_verifier,
    )


def _marked(mark: int) -> int | None:
    """The epoch of a row's mark, None for never."""
    return mark - 1 if mark else None


def _history(view: LedgerView, key: bytes, most: int) -> list[PastContribution]:
    """The miner in the last closed epochs, newest first."""
    current = view.head().epoch
    epochs = range(current - 1, max(-1, current - 1 - most), -1)
    return [
        PastContribution(**asdict(contribution_document(entry)), epoch=epoch)
        for epoch in epochs
        if (entry := view.history.contribution(epoch, key)) is not None
    ]
