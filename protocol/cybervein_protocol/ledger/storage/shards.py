"""Shards after commit: settled, moved by repair or drain, or given up.

A shard's cost since it was placed is `kib * (accumulator now - accumulator then)`: its miner has
been paid that from escrow already, settling only tells the deal.
"""

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, UnknownError
from cybervein_protocol.ledger.accounts.fees import ingress_fee
from cybervein_protocol.ledger.accounts.money import count
from cybervein_protocol.ledger.mining.bonds import pay_fee
from cybervein_protocol.ledger.state.rows import (
    DEALS,
    MINERS,
    SHARDS,
    DealRow,
    MinerRow,
    ShardRow,
    shard_id,
)
from cybervein_protocol.ledger.storage.bodies import ShardLost, ShardMoved
from cybervein_protocol.ledger.storage.placing import check_domains, hold
from cybervein_protocol.ledger.units.events import ShardPlaced
from cybervein_protocol.ledger.units.run import Run, known, known_miner
from cybervein_protocol.messages.deals import ShardEntry
from cybervein_protocol.messages.receipts import receipt_of_entry, verify_receipt
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address


def cost(shard: ShardRow, miner: MinerRow) -> Veins:
    """Veins a shard has cost since it was placed at its miner; one that is given up costs none."""
    return Veins(0 if shard.lost else shard.kib * (miner.acc - shard.acc))


def settle(run: Run, shard: ShardRow) -> Veins:
    """Veins a shard has cost since it was placed; its miner no longer holds it."""
    if shard.lost:
        return Veins(0)
    row = known_miner(run.state, shard.miner)
    fewer = replace(row, held_kib=row.held_kib - shard.kib, held_shards=row.held_shards - 1)
    run.state.put(MINERS, shard.miner, fewer)
    return cost(shard, row)


def moved(run: Run, body: ShardMoved) -> None:
    """A shard is elsewhere now; the old miner's bond pays for the traffic.

    Raises UnknownError, ConflictError or SignatureError.
    """
    deal, row = known(run.state, DEALS, body.deal, "deal")
    identity, shard = _held_shard(run, deal, body)
    _check_new_place(run, deal, body, shard)
    spent = row.spent + settle(run, shard)
    run.state.put(DEALS, deal, replace(row, spent=spent, lost=row.lost - shard.lost))
    _charge_move(run, body.from_, body.to, shard.kib)
    miner = hold(run, body.to, shard.kib)
    placed = replace(shard, miner=body.to, acc=miner.acc, since=run.epoch, lost=False)
    run.state.put(SHARDS, identity, placed)
    _tell(run, deal, body, body.to)


def lost(run: Run, body: ShardLost) -> None:
    """A shard is missing beyond the grace: nobody is paid for it. Raises as moved."""
    deal, row = known(run.state, DEALS, body.deal, "deal")
    identity, shard = _held_shard(run, deal, body)
    if shard.lost:
        raise ConflictError(f"shard {shard.root.hex()[:16]}: is given up already")
    spent = row.spent + settle(run, shard)
    run.state.put(DEALS, deal, replace(row, spent=spent, lost=row.lost + 1))
    run.state.put(SHARDS, identity, replace(shard, lost=True))
    _tell(run, deal, body, b"")


def _held_shard(run: Run, deal: bytes, body: ShardMoved | ShardLost) -> tuple[bytes, ShardRow]:
    """(id, row) of the shard, if it is at `from`."""
    identity = shard_id(deal, body.segment, body.index)
    shard = run.state.get(SHARDS, identity)
    if shard is None:
        raise UnknownError(
            f"shard {body.segment}/{body.index} of deal {deal.hex()[:16]}: no such shard is live"
        )
    if shard.miner != body.from_:
        raise ConflictError(
            f"shard {shard.root.hex()[:16]}: is at {address(shard.miner)}, "
            f"not at {address(body.from_)}"
        )
    return identity, shard


def _check_new_place(run: Run, deal: bytes, body: ShardMoved, shard: ShardRow) -> None:
    if known_miner(run.state, body.to).drains:
        raise ConflictError(f"shard.moved: {address(body.to)} drains; choose another miner")
    if body.root != shard.root:
        raise ConflictError(
            f"shard {shard.root.hex()[:16]}: rebuilt as {body.root.hex()[:16]}; the root must stay"
        )
    siblings = run.state.scan(SHARDS, shard_id(deal, body.segment, 0)[:-1])
    others = [row.miner for key, row in siblings if key[-1] != body.index and not row.lost]
    check_domains(run, [*others, body.to], f"shard.moved: segment {body.segment}")
    entry = ShardEntry(root=body.root, miner=body.to, size=shard.size, receipt=body.receipt)
    receipt = receipt_of_entry(
        entry, network=run.network, deal=body.deal, segment=body.segment, index=body.index
    )
    verify_receipt(receipt)


def _charge_move(run: Run, source: bytes, target: bytes, kib: int) -> None:
    """The new miner's upload fee, as far as the old one's bond reaches."""
    old = known_miner(run.state, source)
    fee = min(old.bonded, ingress_fee(kib, run.preset))
    count(run.state, bonded=-fee)
    charged = replace(old, bonded=old.bonded - fee, penalties=old.penalties + fee)
    run.state.put(MINERS, source, charged)
    paid = pay_fee(run.state, known_miner(run.state, target), fee, run.preset)
    run.state.put(MINERS, target, paid)


def _tell(run: Run, deal: bytes, body: ShardMoved | ShardLost, to: bytes) -> None:
    event = ShardPlaced(deal=deal, segment=body.segment, index=body.index, source=body.from_, to=to)
    run.events.append(event)


def degraded(row: DealRow) -> bool:
    """Whether a live deal misses shards."""
    return row.state == "active" and row.lost > 0
