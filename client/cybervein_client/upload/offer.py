"""What a put will cost, and for how long: told and held against the balance before it is paid."""

from dataclasses import dataclass
from typing import Final

from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import FundsError
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.names import Veins
from cybervein_protocol.placement import Code

from cybervein_client.catalogue import FileRow
from cybervein_client.upload.owed import Owed
from cybervein_client.upload.plan import DealPlan, deal_price, plan_deal, segments_per_deal

GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Offer:
    """A put before it is paid: `price` is all that it will still take, None for a stream.

    `price_per_gib` is what a GiB of plaintext costs, `earlier` what is paid for deals of an earlier
    attempt (a part of `price`); all are in veins, fees included. A stream takes up to `ahead` more:
    its last deal is opened for more than comes. `again`: the file was stored, and its deals have
    ended.
    """

    name: str
    size: int | None
    code: Code
    epochs: int
    price: Veins | None
    price_per_gib: Veins
    earlier: Veins
    ahead: Veins
    again: bool


def make_offer(file: FileRow, genesis: Genesis, earlier: Owed, *, again: bool) -> Offer:
    """The offer for a file, some deals of which may be there from an `earlier` attempt."""
    code = Code(file.k, file.n)

    def price(plaintext: int, done: frozenset[int] = frozenset()) -> Veins:
        left = plans_left(plaintext, code, genesis, done)
        return Veins(sum(deal_price(plan, file.epochs, code.n, genesis) for plan in left))

    known = None if file.size is None else Veins(price(file.size, earlier.done) + earlier.price)
    return Offer(
        name=file.name,
        size=file.size,
        code=code,
        epochs=file.epochs,
        price=known,
        price_per_gib=price(GIB),
        earlier=earlier.price,
        ahead=Veins(0) if known is not None else _ahead(file, genesis),
        again=again,
    )


def _ahead(file: FileRow, genesis: Genesis) -> Veins:
    """A stream's last deal, which a byte may have opened, and the fees of its small first ones."""
    most = segments_per_deal(file.n, genesis.preset, len(genesis.super_nodes))
    fees, segments, ordinal = 0, 0, 0
    while segments < most:
        plan = plan_deal(ordinal, 0, plaintext=None, k=file.k, n=file.n, most=most)
        escrow = plan.escrow(file.epochs, genesis.preset)
        fees += deal_price(plan, file.epochs, file.n, genesis) - escrow
        segments, ordinal = plan.segments, ordinal + 1
    return Veins(escrow + fees)


def plans_left(
    plaintext: int, code: Code, genesis: Genesis, done: frozenset[int]
) -> list[DealPlan]:
    """The deals that are opened for so many bytes, but those that begin at the segments `done`."""
    most = segments_per_deal(code.n, genesis.preset, len(genesis.super_nodes))
    plans: list[DealPlan] = []
    while True:
        first = plans[-1].first + plans[-1].segments if plans else 0
        plan = plan_deal(len(plans), first, plaintext=plaintext, k=code.k, n=code.n, most=most)
        if not plan.segments:
            return [plan for plan in plans if plan.first not in done]
        plans.append(plan)


def require_balance(offer: Offer, balance: Veins, decimals: int) -> None:
    """Raise FundsError where the wallet cannot pay for the whole file."""
    needed = offer.earlier if offer.price is None else offer.price
    if balance < needed:
        has, price = coins(balance, decimals), coins(needed, decimals)
        raise FundsError(
            f"the wallet has {has} coins; storing {offer.name} for {offer.epochs} epochs escrows "
            f"{price} with its fees, nothing was paid for what is left: pay coins in, or store it "
            "for a shorter time (--for, or fewer --epochs)"
        )
