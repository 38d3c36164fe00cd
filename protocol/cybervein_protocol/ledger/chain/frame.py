"""The frame of a unit: may it be in a block at all?

Kind and issuer, known parents, nonce, fee. Frames of a whole block are checked and charged, in
order, before any body executes: so a fee is paid by what an account had at the block's start, and
a proposer can choose units without executing them. A unit with a bad frame makes its block
unacceptable; a unit whose body fails is void, which is the issuer's own affair.
"""

from collections.abc import Container, Mapping

from msgspec.structs import replace

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import (
    ConflictError,
    ForbiddenError,
    FundsError,
    ReplayError,
    UnknownError,
)
from cybervein_protocol.ledger.accounts.money import account, count
from cybervein_protocol.ledger.chain.kinds import KINDS, Issuer
from cybervein_protocol.ledger.state.overlay import Overlay
from cybervein_protocol.ledger.state.rows import ACCOUNTS, UNITS, AccountRow, UnitRow
from cybervein_protocol.ledger.units.genesis import SuperNode
from cybervein_protocol.ledger.units.unit import ParsedUnit, required_fee
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address


def _issuer(unit: ParsedUnit) -> Issuer:
    return KINDS[unit.unit.kind].issuer


def check_issuer(unit: ParsedUnit, super_nodes: Mapping[bytes, SuperNode]) -> None:
    """Raise ForbiddenError if a kind of the super nodes is issued by somebody else."""
    kind, issuer = unit.unit.kind, unit.unit.issuer
    if _issuer(unit) is Issuer.SUPER_NODE and issuer not in super_nodes:
        raise ForbiddenError(f"{kind}: issued by {address(issuer)}, who is no super node")


def check_parents(state: Overlay, unit: ParsedUnit, pending: Container[object]) -> None:
    """Raise UnknownError unless every parent is final or pending."""
    for parent in unit.unit.parents:
        if state.get(UNITS, cid_root(parent)) is None and parent not in pending:
            raise UnknownError(
                f"{unit.unit.kind}: parent {parent} is not known here; cite units that are, "
                "for instance the current tips"
            )


def check_nonce(row: AccountRow, unit: ParsedUnit, ahead_max: int) -> None:
    """Raise ReplayError for a used nonce, ConflictError for one too far ahead."""
    nonce = unit.unit.nonce
    if nonce < row.nonce:
        raise ReplayError(f"{unit.unit.kind}: nonce {nonce} was used, expected {row.nonce}")
    if nonce > row.nonce + ahead_max:
        raise ConflictError(
            f"{unit.unit.kind}: nonce {nonce}, expected {row.nonce}"
            + (f" to {row.nonce + ahead_max}" if ahead_max else "")
        )


def is_free(row: AccountRow, unit: ParsedUnit, epoch: int, preset: Preset) -> bool:
    """Whether a unit may pay less than its size asks."""
    issuer = _issuer(unit)
    if issuer is Issuer.SUPER_NODE:
        return True
    used = row.free_used if row.free_epoch == epoch else 0
    return issuer is Issuer.MINER and used < preset.miner_units_per_epoch


def check_fee(row: AccountRow, unit: ParsedUnit, epoch: int, preset: Preset) -> None:
    """Raise FundsError unless the fee is enough, or may be less, and the account has it."""
    fee, required = unit.unit.fee, required_fee(unit.size, preset)
    if fee < required and not is_free(row, unit, epoch, preset):
        raise FundsError(
            f"{unit.unit.kind}: fee of {fee} veins, {unit.size} bytes need {required}; pay that"
        )
    if row.balance < fee:
        raise FundsError(
            f"account {address(unit.unit.issuer)}: balance {row.balance} veins does not cover the "
            f"fee of {fee}; fund it"
        )


def enter(state: Overlay, unit: ParsedUnit, epoch: int, preset: Preset) -> None:
    """Check nonce, parents and fee of the next unit of a block, and charge it."""
    row = account(state, unit.unit.issuer)
    check_nonce(row, unit, 0)
    check_parents(state, unit, ())
    check_fee(row, unit, epoch, preset)
    charged = replace(row, balance=row.balance - unit.unit.fee, nonce=row.nonce + 1)
    if _issuer(unit) is Issuer.MINER and unit.unit.fee < required_fee(unit.size, preset):
        used = row.free_used if row.free_epoch == epoch else 0
        charged = replace(charged, free_epoch=epoch, free_used=used + 1)
    state.put(ACCOUNTS, unit.unit.issuer, charged)
    count(state, held=-unit.unit.fee, burnt=unit.unit.fee)


def remember(state: Overlay, unit: ParsedUnit, height: int, index: int) -> None:
    """Make a unit known, as a parent for those after it."""
    state.put(UNITS, cid_root(unit.id), UnitRow(height=height, index=index))
