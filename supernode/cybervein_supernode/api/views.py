"""Rows and blocks as JSON: keys as addresses, roots hex, CIDs base32, amounts whole veins."""

from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text, encode, node_cid, to_map
from cybervein_protocol.ledger.chain.block import Block, block_id
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.mining.contribution import space_bytes, weight
from cybervein_protocol.ledger.state.rows import BatchRow, DealRow, MinerRow, SupplyRow
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from multiformats import CID

from cybervein_supernode.chain.view import Shard, UnitPlace

Json = dict[str, object]


def cid_of(digest: bytes) -> str:
    """Text of the dag-cbor CID whose digest a row is keyed by."""
    return cid_text(digest_cid(digest))


def plain(node: object) -> object:
    """An IPLD node as JSON: bytes as hex, CIDs as text."""
    if isinstance(node, bytes):
        return node.hex()
    if isinstance(node, CID):
        return cid_text(node)
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    return node


def supply_json(row: SupplyRow) -> Json:
    """The supply equation's terms."""
    return dict(to_map(row)) | {"balanced": row.balanced}


def weight_of(row: MinerRow, preset: Preset) -> int:
    """A miner's weight as the ledger stands."""
    return weight(space_bytes(row.space, row.plots_active, preset), row.bandwidth or 0, preset)


def miner_json(key: bytes, row: MinerRow, preset: Preset) -> Json:
    """A miner's standing. `score` is the share of challenged chunks that were good."""
    space = space_bytes(row.space, row.plots_active, preset)
    bandwidth = row.bandwidth or 0
    return {
        "address": address(key),
        "url": row.url,
        "group": row.group,
        "owner": row.owner,
        "payout": address(row.payout),
        "registered_epoch": row.registered,
        "plots": row.plots_live,
        "plots_pending": row.plots_pending + row.plots_passed,
        "plots_active": row.plots_active,
        "space_estimates": list(row.space),
        "space_bytes": space,
        "bytes_per_second": bandwidth,
        "weight": weight(space, bandwidth, preset),
        "held_kib": row.held_kib,
        "held_shards": row.held_shards,
        "draining": row.drains,
        "bonded": row.bonded,
        "bond_due": bond_due(row, preset),
        "rewards": row.rewards,
        "fees": row.fees,
        "penalties": row.penalties,
        "proofs": row.proofs,
        "last_proof_epoch": row.space_epoch - 1 if row.space_epoch else None,
        "last_bandwidth_epoch": row.bandwidth_epoch - 1 if row.bandwidth_epoch else None,
        "audits": {
            "passed": row.audits_passed,
            "wrong": row.audits_wrong,
            "timeout": row.audits_timeout,
            "verifier": row.audits_verifier,
        },
        "last_audit": row.audit,
        "last_audit_epoch": row.audit_epoch - 1 if row.audit_epoch else None,
        "chunks_challenged": row.chunks_challenged,
        "chunks_good": row.chunks_good,
    }


def batch_json(digest: bytes, row: BatchRow) -> Json:
    """A batch and its state."""
    return {
        "batch": cid_of(digest),
        "state": row.state,
        "registered": row.registered,
        "counts_from": row.counts_from,
        "plots": len(row.plots),
        "live": row.live,
        "reason": row.reason,
    }


def deal_json(digest: bytes, row: DealRow, epoch: int, degraded: int) -> Json:
    """A deal; `degraded` shards wait for repair or are given up."""
    node = dict(to_map(row))
    return node | {
        "deal": cid_of(digest),
        "owner": address(row.owner),
        "epochs_left": max(0, row.expires - epoch) if row.state != "ended" else 0,
        "health": "degraded" if degraded and row.state == "active" else "good",
        "degraded": degraded,
    }


def shard_json(shard: Shard, url: str) -> Json:
    """A shard and where it is; a given-up one has no miner."""
    row = shard.row
    return {
        "deal": cid_of(shard.deal),
        "segment": shard.segment,
        "index": shard.index,
        "root": row.root.hex(),
        "size": row.size,
        "since": row.since,
        "lost": row.lost,
        "miner": None if row.lost else address(row.miner),
        "url": None if row.lost else url,
    }


def block_json(block: Block) -> Json:
    """An engine block."""
    return {
        "height": block.height,
        "id": cid_text(block_id(block)),
        "prev": cid_text(block.prev) if block.prev else None,
        "epoch": block.epoch,
        "units": [cid_text(unit) for unit in block.units],
        "voids": [{"unit": cid_text(void.unit), "code": void.code} for void in block.voids],
        "app_hash": block.app_hash.hex(),
        "proposer": address(block.proposer),
        "bytes": len(encode(block)),
    }


def unit_json(place: UnitPlace, *, body: object = None) -> Json:
    """A final unit."""
    unit = cid_text(node_cid(place.raw))
    document: Json = {
        "id": unit,
        "status": "void" if place.code else "final",
        "height": place.height,
        "position": place.position,
        "kind": place.kind,
        "issuer": address(place.issuer),
        "code": place.code,
        "reason": place.reason,
        "bytes": len(place.raw),
    }
    return document if body is None else document | {"unit": plain(body)}


def contribution_json(entry: Contribution) -> Json:
    """One miner in a closed epoch."""
    node = dict(to_map(entry))
    return node | {"miner": address(entry.miner), "payout": address(entry.payout)}


def epoch_json(event: EpochClosed, *, full: bool) -> Json:
    """A closed epoch; with every contribution where `full`."""
    outcomes: dict[str, int] = {}
    for entry in event.contributions:
        if entry.audit:
            outcomes[entry.audit] = outcomes.get(entry.audit, 0) + 1
    document: Json = {
        "epoch": event.epoch,
        "beacon": event.beacon.hex(),
        "next_beacon": event.next_beacon.hex(),
        "weight": event.weight,
        "minted": event.minted,
        "fees": sum(entry.fees for entry in event.contributions),
        "miners": len(event.contributions),
        "proofs": sum(1 for entry in event.contributions if entry.estimate),
        "audits": outcomes,
    }
    if full:
        document["contributions"] = [contribution_json(entry) for entry in event.contributions]
    return document
