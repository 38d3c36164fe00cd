"""What a put that continues an earlier one still pays for the deals of that one.

A deal that is open needs its commit; one that was signed and is not on the ledger yet takes its
escrow; and those that end too early are brought to the end of this put, once it is stored. All of
that belongs to the price that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.ledger.accounts.fees import deal_escrow, storage_fee
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

from cybervein_client.catalogue import CatalogueDeal, DealState, FileRow
from cybervein_client.ledger.fees import small_fees
from cybervein_client.upload.plan import commit_fee, plan_deal, segments_per_deal

SHORT_SHARE: Final = 20
"""A put is evened out if a deal of it ends this part of its time too early."""
Asked = tuple[CatalogueDeal, DealDocument | None]


@dataclass(frozen=True, slots=True)
class Owed:
    """What earlier deals cost still; `done`: the segments at which those begin that are kept."""

    price: Veins
    done: frozenset[int]


NOTHING: Final = Owed(Veins(0), frozenset())


@dataclass(frozen=True, slots=True)
class _Bought:
    """An earlier deal that is kept: its end (at least), its KiB, what finishing it costs."""

    first: int
    ends: int
    kib: int
    finishing: Veins


def epochs_short(first_end: int, target: int, epochs: int) -> int:
    """By how many epochs earlier deals are prolonged; 0 where it is not worth a unit."""
    short = target - first_end
    return short if short > epochs // SHORT_SHARE else 0


def owed(file: FileRow, asked: Sequence[Asked], epoch: int, genesis: Genesis) -> Owed:
    """What the deals of a file cost still, if it is stored from `epoch` on for its epochs."""
    bought = [each for deal, said in asked if (each := _bought(file, deal, said, epoch, genesis))]
    finishing = sum(each.finishing for each in bought)
    prolonging = _prolonging(bought, epoch + file.epochs, file.epochs, genesis.preset)
    done = frozenset(each.first for each in bought)
    return Owed(Veins(finishing + prolonging), done)


def _prolonging(bought: Sequence[_Bought], target: int, epochs: int, preset: Preset) -> int:
    first_end = min((each.ends for each in bought), default=target)
    if not epochs_short(first_end, target, epochs):
        return 0
    early = [each for each in bought if each.ends < target]
    escrow = sum(storage_fee(each.kib, target - each.ends, preset) for each in early)
    return escrow + small_fees(len(early), preset)


def _bought(
    file: FileRow, deal: CatalogueDeal, said: DealDocument | None, epoch: int, genesis: Genesis
) -> _Bought | None:
    """None for a deal that is opened anew: it ended, or the ledger never had it."""
    if said is None:
        if deal.state is not DealState.OPENING:
            return None
        return _signed(file, deal, epoch, genesis)
    if said.state == "open":
        kib = deal.escrow // deal_escrow(1, said.epochs, genesis.preset)
        fee = commit_fee(deal.segments, file.n, genesis)
        return _Bought(deal.first, epoch + said.epochs, kib, fee)
    if said.state == "active":
        return _Bought(deal.first, said.expires, said.kib, Veins(0))
    return None


def _signed(file: FileRow, deal: CatalogueDeal, epoch: int, genesis: Genesis) -> _Bought:
    """One that is sent again: as it was signed and then prolonged, or refused and signed anew."""
    most = segments_per_deal(file.n, genesis.preset, len(genesis.super_nodes))
    plan = plan_deal(deal.ordinal, deal.first, plaintext=file.size, k=file.k, n=file.n, most=most)
    escrow = max(deal.escrow, plan.escrow(file.epochs, genesis.preset))
    fees = small_fees(2, genesis.preset) + commit_fee(deal.segments, file.n, genesis)
    return _Bought(deal.first, epoch + file.epochs, plan.shard_kib, Veins(escrow + fees))
