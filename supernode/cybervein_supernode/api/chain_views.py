"""Accounts, units, blocks and epochs of the chain as documents."""

from collections import Counter
from typing import Any

from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.api.super_node.epochs import (
    ContributionDocument,
    EpochDocument,
    FullEpochDocument,
)
from cybervein_protocol.api.super_node.network import SupplyDocument
from cybervein_protocol.api.super_node.units import (
    BlockDocument,
    FullBlockDocument,
    UnitDocument,
    VoidDocument,
)
from cybervein_protocol.encoding import cid_text, decode_node, encode, node_cid
from cybervein_protocol.ledger.chain.block import Block, block_id
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.state.rows import ACCOUNTS, MINERS, SupplyRow
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address
from msgspec import UNSET
from msgspec.structs import asdict
from multiformats import CID

from cybervein_supernode.chain.history import UnitPlace
from cybervein_supernode.chain.view import LedgerView


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


def account_document(view: LedgerView, key: bytes) -> AccountDocument:
    """An account; one that the ledger does not know is empty."""
    row, miner = view.rows.find(ACCOUNTS, key), view.rows.find(MINERS, key)
    return AccountDocument(
        address=address(key),
        balance=row.balance if row else Veins(0),
        nonce=row.nonce if row else 0,
        bonded=miner.bonded if miner else Veins(0),
        bond_due=bond_due(miner, view.preset) if miner else Veins(0),
    )


def supply_document(row: SupplyRow) -> SupplyDocument:
    """The supply equation's terms."""
    return SupplyDocument(**asdict(row), balanced=row.balanced)


def block_document(block: Block) -> BlockDocument:
    """An engine block."""
    return BlockDocument(
        height=block.height,
        id=cid_text(block_id(block)),
        prev=cid_text(block.prev) if block.prev else None,
        epoch=block.epoch,
        units=[cid_text(unit) for unit in block.units],
        voids=[VoidDocument(unit=cid_text(void.unit), code=void.code) for void in block.voids],
        app_hash=block.app_hash.hex(),
        proposer=address(block.proposer),
        bytes=len(encode(block)),
    )


def full_block_document(view: LedgerView, height: int) -> FullBlockDocument:
    """An engine block with its units."""
    units = [unit_document(place) for _, place in view.history.units_of(height)]
    return FullBlockDocument(**asdict(block_document(view.history.block(height))), contents=units)


def unit_document(place: UnitPlace, *, body_bytes_max: int | None = None) -> UnitDocument:
    """A unit that is in a block; with its body where `body_bytes_max` is given."""
    body: Any = UNSET
    if body_bytes_max is not None:
        body = plain(decode_node(place.raw, "unit", body_bytes_max))
    return UnitDocument(
        id=cid_text(node_cid(place.raw)),
        status="void" if place.code else "final",
        height=place.height,
        code=place.code,
        reason=place.reason,
        position=place.position,
        kind=place.kind,
        issuer=address(place.issuer),
        bytes=len(place.raw),
        unit=body,
    )


def contribution_document(entry: Contribution) -> ContributionDocument:
    """One miner in a closed epoch."""
    fields = asdict(entry)
    fields |= {"miner": address(entry.miner), "payout": address(entry.payout)}
    return ContributionDocument(**fields)


def epoch_document(event: EpochClosed) -> EpochDocument:
    """A closed epoch."""
    return EpochDocument(
        epoch=event.epoch,
        beacon=event.beacon.hex(),
        next_beacon=event.next_beacon.hex(),
        weight=event.weight,
        minted=event.minted,
        fees=Veins(sum(entry.fees for entry in event.contributions)),
        miners=len(event.contributions),
        proofs=sum(1 for entry in event.contributions if entry.estimate),
        audits=dict(Counter(entry.audit for entry in event.contributions if entry.audit)),
    )


def full_epoch_document(event: EpochClosed) -> FullEpochDocument:
    """A closed epoch with every contribution."""
    listed = [contribution_document(entry) for entry in event.contributions]
    return FullEpochDocument(**asdict(epoch_document(event)), contributions=listed)
