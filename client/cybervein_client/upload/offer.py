"""What a put will cost, and for how long: told and held against the balance before it is paid."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import FundsError
from cybervein_protocol.ledger.accounts.fees import deal_escrow
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.ledger.units.unit import required_fee
from cybervein_protocol.names import Veins
from cybervein_protocol.placement import Code

from cybervein_client.catalogue import FileRow
from cybervein_client.upload.plan import DealPlan, commit_bytes, plan_deal, segments_per_deal

GIB: Final = 1 << 30
OPEN_UNIT_BYTES: Final = 640
"""A small unit, encoded: parents, keys, signature, a few numbers."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A put before it is paid: `price` of what is left to open, None for a stream.

    `price_per_gib` is what a GiB of plaintext costs; both are in veins, fees included. `again`: the
    file was stored, and its deals have ended.
    """

    name: str
    size: int | None
    code: Code
    epochs: int
    price: Veins | None
    price_per_gib: Veins
    again: bool


def make_offer(file: FileRow, genesis: Genesis, done: Collection[int], *, again: bool) -> Offer:
    """The offer for a file whose deals that begin at the segments `done` are open already."""
    code = Code(file.k, file.n)

    def price(plaintext: int) -> Veins:
        plans = _plans(plaintext, code, genesis)
        left = [plan for plan in plans if plan.first not in done]
        return Veins(sum(_price(plan, file.epochs, code, genesis) for plan in left))

    known = None if file.size is None else price(file.size)
    return Offer(file.name, file.size, code, file.epochs, known, price(GIB), again)


def _plans(plaintext: int, code: Code, genesis: Genesis) -> list[DealPlan]:
    most = segments_per_deal(code.n, genesis.preset, len(genesis.super_nodes))
    plans: list[DealPlan] = []
    while True:
        first = plans[-1].first + plans[-1].segments if plans else 0
        plan = plan_deal(len(plans), first, plaintext=plaintext, k=code.k, n=code.n, most=most)
        if not plan.segments:
            return plans
        plans.append(plan)


def _price(plan: DealPlan, epochs: int, code: Code, genesis: Genesis) -> Veins:
    """Escrow, and the fees of opening and committing."""
    supers = len(genesis.super_nodes)
    size = OPEN_UNIT_BYTES + commit_bytes(plan.segments, code.n, supers)
    escrow = deal_escrow(plan.shard_kib, epochs, genesis.preset)
    return Veins(escrow + required_fee(size, genesis.preset))


def require_balance(offer: Offer, balance: Veins, decimals: int) -> None:
    """Raise FundsError where the wallet cannot pay for the whole file."""
    if offer.price is not None and balance < offer.price:
        has, price = coins(balance, decimals), coins(offer.price, decimals)
        raise FundsError(
            f"the wallet has {has} coins; storing {offer.name} for {offer.epochs} epochs escrows "
            f"{price} with its fees, nothing was paid for what is left: pay coins in, or store it "
            "for a shorter time (--for, or fewer --epochs)"
        )
