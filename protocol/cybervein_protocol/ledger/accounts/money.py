"""Moving veins between accounts, bonds, escrow and the fire, and the proof that none got lost.

Every movement changes a row and the supply row together. `check_supply` then recounts from the
rows alone: each row holds a known amount (`held_by`), so what a block changed in the rows must be
what it changed in the supply row, and the equation must hold:

    genesis + minted = held + escrowed + bonded + burnt
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from cybervein_protocol.encoding import Record
from cybervein_protocol.errors import CyberVeinError, FundsError
from cybervein_protocol.ledger.state.overlay import Overlay, View
from cybervein_protocol.ledger.state.rows import (
    ACCOUNTS,
    SUPPLY,
    SUPPLY_ID,
    AccountRow,
    DealRow,
    MinerRow,
    ShardRow,
    SupplyRow,
)
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address


def account(state: Overlay, key: bytes) -> AccountRow:
    """The account of a key; one that was never used is empty."""
    return state.get(ACCOUNTS, key) or AccountRow()


def supply(state: Overlay) -> SupplyRow:
    """The supply row."""
    row = state.get(SUPPLY, SUPPLY_ID)
    if row is None:
        raise CyberVeinError("state has no supply row; it was never filled from a genesis")
    return row


def count(  # noqa: PLR0913 -- the five places where veins are
    state: Overlay,
    *,
    held: int = 0,
    escrowed: int = 0,
    bonded: int = 0,
    burnt: int = 0,
    minted: int = 0,
) -> None:
    """Add to the supply row's totals: changes, of either sign."""
    row = supply(state)
    totals = SupplyRow(
        genesis=row.genesis,
        minted=Veins(row.minted + minted),
        held=Veins(row.held + held),
        escrowed=Veins(row.escrowed + escrowed),
        bonded=Veins(row.bonded + bonded),
        burnt=Veins(row.burnt + burnt),
    )
    state.put(SUPPLY, SUPPLY_ID, totals)


def credit(state: Overlay, key: bytes, amount: Veins) -> None:
    """Add veins to an account. The caller counts where they came from."""
    if not amount:
        return  # nothing leaves no row behind
    row = account(state, key)
    state.put(ACCOUNTS, key, replace(row, balance=row.balance + amount))
    count(state, held=amount)


def debit(state: Overlay, key: bytes, amount: Veins) -> None:
    """Take veins from an account. Raises FundsError. The caller counts where they go."""
    row = account(state, key)
    if row.balance < amount:
        raise FundsError(
            f"account {address(key)}: balance {row.balance} veins, {amount} needed; "
            f"fund it with {amount - row.balance} more"
        )
    state.put(ACCOUNTS, key, replace(row, balance=row.balance - amount))
    count(state, held=-amount)


class Holdings(NamedTuple):
    """Veins in a row, by place."""

    held: int
    escrowed: int
    bonded: int


def held_by(row: Record | None) -> Holdings:
    """What a row holds.

    Escrow is shared by all deals: a deal puts in what it has not settled, a miner's accumulator
    has paid `held_kib * acc` out of it, of which `kib * acc` of a shard was before its time.
    """
    match row:
        case AccountRow():
            return Holdings(row.balance, 0, 0)
        case MinerRow():
            return Holdings(0, -row.held_kib * row.acc, row.bonded)
        case DealRow():
            return Holdings(0, row.escrow - row.spent - row.refunded, 0)
        case ShardRow() if not row.lost:
            return Holdings(0, row.kib * row.acc, 0)
        case _:
            return Holdings(0, 0, 0)


def check_supply(before: View, changes: Mapping[bytes, Record | None]) -> None:
    """Assert that a block's changes moved veins and made or lost none.

    Raises CyberVeinError: the rules themselves are wrong, and the chain must stop.
    """
    key = SUPPLY.key(SUPPLY_ID)
    old, new = before.find(key), changes.get(key, before.find(key))
    if not isinstance(old, SupplyRow) or not isinstance(new, SupplyRow):
        raise CyberVeinError("state has no supply row; it was never filled from a genesis")
    moved = _sum(held_by(row) for row in changes.values())
    was = _sum(held_by(before.find(key)) for key in changes)
    counted = (new.held - old.held, new.escrowed - old.escrowed, new.bonded - old.bonded)
    found = tuple(after - earlier for after, earlier in zip(moved, was, strict=True))
    if counted != found or not new.balanced:
        raise CyberVeinError(
            f"supply equation broken: rows moved (held, escrowed, bonded) by {found}, totals by "
            f"{counted}, totals {new}; this is a defect of the ledger's rules"
        )


def _sum(parts: Iterable[Holdings]) -> Holdings:
    held = escrowed = bonded = 0
    for part in parts:
        held, escrowed, bonded = held + part[0], escrowed + part[1], bonded + part[2]
    return Holdings(held, escrowed, bonded)
