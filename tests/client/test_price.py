"""What a put costs that continues an earlier one: all that it will take, whatever was begun."""

from dataclasses import replace

import pytest
from cybervein_client.catalogue import CatalogueDeal, DealState, FileRow, FileState
from cybervein_client.ledger.fees import small_fees
from cybervein_client.upload.offer import GIB, make_offer
from cybervein_client.upload.owed import NOTHING, owed
from cybervein_client.upload.plan import DealPlan, commit_fee, deal_price, plan_deal
from cybervein_client.upload.room import require_room
from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.ledger.accounts.fees import storage_fee
from cybervein_protocol.placement import Code
from cybervein_protocol.presets import TEST
from documents import made
from ledger_chain import genesis_of

EPOCH, EPOCHS = 500, 100
SIZE = 10 * SEGMENT_PLAIN  # in preset test: a deal of eight segments, one of two
FILE = FileRow("f", "f", "/f", SIZE, 1, b"", 2, 3, EPOCHS, FileState.UPLOADING, None, 0)
GENESIS = genesis_of()
LARGE, SMALL = (
    plan_deal(ordinal, first, plaintext=SIZE, k=2, n=3, most=8)
    for ordinal, first in ((0, 0), (1, 8))
)
WHOLE = deal_price(LARGE, EPOCHS, 3, GENESIS) + deal_price(SMALL, EPOCHS, 3, GENESIS)


def begun(plan: DealPlan, state: DealState, epochs: int = EPOCHS) -> CatalogueDeal:
    """The deal of a plan as the catalogue has it, bought for so many epochs."""
    escrow = plan.escrow(epochs, TEST)
    return CatalogueDeal(
        file="f",
        ordinal=plan.ordinal,
        first=plan.first,
        segments=plan.segments,
        cid="deal",
        open_unit=b"",
        commit_unit=None,
        escrow=escrow,
        state=state,
    )


def shown(*asked: tuple[CatalogueDeal, DealDocument | None]) -> int:
    earlier = owed(FILE, asked, EPOCH, GENESIS)
    price = make_offer(FILE, GENESIS, earlier, again=False).price
    assert price is not None
    return price


def said(state: str, plan: DealPlan, epochs: int = EPOCHS, expires: int = 0) -> DealDocument:
    return made(DealDocument, state=state, epochs=epochs, expires=expires, kib=plan.shard_kib)


def test_a_put_without_an_earlier_one_pays_for_every_deal() -> None:
    assert shown() == make_offer(FILE, GENESIS, NOTHING, again=False).price == WHOLE


def test_a_deal_that_is_open_costs_its_commit_and_one_that_is_active_nothing() -> None:
    open_ = (begun(LARGE, DealState.OPEN), said("open", LARGE))
    rest = deal_price(SMALL, EPOCHS, 3, GENESIS)
    assert shown(open_) == rest + commit_fee(8, 3, GENESIS)
    active = (begun(LARGE, DealState.ACTIVE), said("active", LARGE, expires=EPOCH + EPOCHS))
    assert shown(active) == rest


@pytest.mark.parametrize("state", [DealState.OPEN, DealState.ACTIVE, DealState.ENDED])
def test_a_deal_that_has_ended_or_never_was_is_paid_anew(state: DealState) -> None:
    assert shown((begun(LARGE, state), said("ended", LARGE))) == WHOLE
    assert shown((begun(LARGE, state), None)) == WHOLE


def test_a_deal_that_was_signed_and_perhaps_never_sent_is_still_to_be_paid() -> None:
    for epochs in (EPOCHS, EPOCHS // 2, 2 * EPOCHS):
        price = shown((begun(LARGE, DealState.OPENING, epochs), None))
        dearer = max(LARGE.escrow(epochs, TEST) - LARGE.escrow(EPOCHS, TEST), 0)
        assert price == WHOLE + dearer + small_fees(1, TEST)


def test_what_was_bought_for_less_is_brought_to_the_new_end() -> None:
    active = (begun(LARGE, DealState.ACTIVE), said("active", LARGE, expires=EPOCH + 60))
    open_ = (begun(SMALL, DealState.OPEN, 70), said("open", SMALL, epochs=70))
    escrow = storage_fee(LARGE.shard_kib, 40, TEST) + storage_fee(SMALL.shard_kib, 30, TEST)
    assert shown(active, open_) == escrow + small_fees(2, TEST) + commit_fee(2, 3, GENESIS)


def test_what_ends_a_twentieth_earlier_stays_as_it_is() -> None:
    for early, price in ((5, 0), (6, storage_fee(LARGE.shard_kib, 6, TEST) + small_fees(1, TEST))):
        expires = EPOCH + EPOCHS - early
        active = (begun(LARGE, DealState.ACTIVE), said("active", LARGE, expires=expires))
        assert shown(active) - deal_price(SMALL, EPOCHS, 3, GENESIS) == price


def test_a_code_needs_as_many_failure_domains_with_room_as_it_has_shards() -> None:
    miners = [
        made(ListedMiner, address=str(i), group=f"g{i // 2}", online=i > 1, free_bytes=i * 100)
        for i in range(8)
    ]
    require_room(Code(2, 3), 300, miners, declared=True)
    with pytest.raises(ConflictError, match="3 failure domains are live, 2 of them have room"):
        require_room(Code(2, 3), 400, miners, declared=True)
    require_room(Code(2, 6), 100, miners, declared=False)  # each address may be a domain
    with pytest.raises(ConflictError, match="smaller --code"):
        require_room(Code(2, 7), 100, miners, declared=False)


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("segments", [0, 1, 2, 5, 9, 21, 30, 200])
def test_a_stream_takes_what_its_bytes_cost_and_at_most_what_is_told(
    segments: int, more: int
) -> None:
    offer = make_offer(replace(FILE, size=None), GENESIS, NOTHING, again=False)
    size = segments * SEGMENT_PLAIN + more
    first, ordinal, taken = 0, 0, 0
    while first * SEGMENT_PLAIN < size:
        plan = plan_deal(ordinal, first, plaintext=None, k=2, n=3, most=8)
        taken += deal_price(plan, EPOCHS, 3, GENESIS)
        first, ordinal = first + plan.segments, ordinal + 1
    assert offer.price is None
    assert taken <= offer.price_per_gib * size / GIB + offer.ahead
    assert make_offer(FILE, GENESIS, NOTHING, again=False).ahead == 0
