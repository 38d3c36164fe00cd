"""Deals: escrowed, committed on proof, paid per proven epoch, refunded to the last vein."""

import msgspec
import pytest
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.ledger.accounts.fees import deal_escrow, storage_fee
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.ledger.state.rows import SHARDS, shard_id
from cybervein_protocol.ledger.storage.bodies import DealClose, DealCommit, DealOpen, DealRenew
from cybervein_protocol.ledger.storage.deals import refund
from cybervein_protocol.ledger.units.events import DealEnded
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.messages.deals import sign_verification
from cybervein_protocol.messages.repair import RepairBox, encode_repair
from cybervein_protocol.presets import TEST
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_chain import Chain, digest, keys

PRICE, INGRESS = TEST.price_veins_per_kib_epoch, TEST.ingress_veins_per_kib


def net(amount: int) -> int:
    """What a miner gets of a fee."""
    return amount - amount * TEST.commission_per_mille // 1000


def with_miners(*names: str) -> Chain:
    chain = Chain()
    for name in names:
        chain.register(name)
    return chain


def opened(chain: Chain, size: int = 1000, n: int = 2, **more: int) -> ParsedUnit:
    return chain.open(size=size, shards=n, n=n, **more)


def test_an_open_deal_escrows() -> None:
    chain = Chain()
    before = chain.balance("customer")
    deal = opened(chain)
    escrow = deal_escrow(2, 4, TEST)
    assert chain.deal(deal).escrow == chain.machine.supply.escrowed == escrow
    assert chain.balance("customer") == before - escrow - deal.unit.fee
    chain.check_books()


def test_an_unclaimed_open_is_refunded() -> None:
    chain = Chain()
    before = chain.balance("customer")
    deal = opened(chain)
    for _ in range(TEST.deal_open_epochs - 1):
        chain.close()
    assert chain.deal(deal).state == "open"
    chain.close()
    assert chain.deal(deal).state == "ended"
    assert chain.balance("customer") == before - deal.unit.fee
    assert chain.events[-2] == DealEnded(
        deal=cid_root(deal.id),
        owner=keys("customer").public,
        reason="unclaimed",
        spent=0,
        refunded=deal_escrow(2, 4, TEST),
    )
    chain.check_books()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"segments": 9}, "limit"),
        ({"epochs": 10_001}, "limit"),
        ({"k": 3}, "conflict"),
        ({"k": 0}, "conflict"),
        ({"escrow": 99}, "funds"),
        ({"escrow": 10**16}, "funds"),
    ],
)
def test_terms_that_are_refused(changes: dict[str, int], code: str) -> None:
    chain = Chain()
    terms = DealOpen(size=2048, segments=1, k=1, n=2, epochs=4, escrow=100)
    body = msgspec.structs.replace(terms, **changes)
    assert chain.void("customer", body)[0] == code
    assert chain.machine.supply.escrowed == 0


def test_a_commit_pays_the_upload_and_places_the_shards() -> None:
    chain = with_miners("a", "b")
    burnt = chain.machine.supply.burnt
    deal = chain.store_deal(2049, "a", "b")
    row = chain.deal(deal)
    assert (row.state, row.kib, row.spent) == ("active", 6, 6 * INGRESS)
    assert row.expires == row.committed + 4
    assert chain.balance("a payout") == net(3 * INGRESS)
    assert chain.miner("b").held_kib == 3
    assert chain.miner("b").held_shards == 1
    shard = chain.machine.get(SHARDS, shard_id(cid_root(deal.id), 0, 1))
    assert shard is not None
    assert (shard.miner, shard.size) == (keys("b").public, 2049)
    assert chain.machine.supply.burnt > burnt
    chain.check_books()


@pytest.mark.parametrize(
    ("size", "kib"), [(0, 0), (1, 1), (1023, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 3)]
)
def test_a_begun_kib_is_a_kib(size: int, kib: int) -> None:
    chain = with_miners("a")
    chain.store_deal(size, "a", extra=10**4)
    assert chain.miner("a").held_kib == kib


def test_held_data_is_paid_in_epochs_whose_audit_passed_and_the_rest_comes_back() -> None:
    chain = with_miners("a", "b")
    deal = chain.store_deal(5000, "a", "b", extra=777)
    outcomes = [
        ("passed", "passed"),
        ("passed", "timeout"),
        ("wrong", "passed"),
        ("passed", "wrong"),
    ]
    before = chain.balance("customer")
    for left, right in outcomes:
        chain.audit(a=left, b=right)
        chain.close()
        chain.check_books()
    kib, paid_epochs = 5, 3 + 2
    spent = 2 * kib * INGRESS + paid_epochs * kib * PRICE
    row = chain.deal(deal)
    assert (row.state, row.spent) == ("ended", spent)
    assert row.refunded == deal_escrow(2 * kib, 4, TEST) + 777 - spent
    assert chain.balance("customer") == before + row.refunded
    assert chain.miner("a").fees == net(kib * INGRESS) + 3 * net(kib * PRICE)
    assert chain.machine.supply.escrowed == 0
    assert list(chain.machine.scan(SHARDS)) == []


def test_a_deal_that_is_proven_to_its_end_spends_all_and_no_more() -> None:
    chain = with_miners("a")
    deal = chain.store_deal(1000, "a", epochs=3)
    for _ in range(3):
        assert chain.deal(deal).state == "active"
        chain.audit(a="passed")
        chain.close()
    row = chain.deal(deal)
    assert (row.state, row.refunded, row.spent) == ("ended", 0, row.escrow)


def test_a_committed_deal_outlives_the_time_to_commit() -> None:
    chain = with_miners("a")
    deal = chain.store_deal(1000, "a", epochs=TEST.deal_open_epochs + 2)
    for _ in range(TEST.deal_open_epochs + 1):
        chain.close()
    assert chain.deal(deal).state == "active"
    chain.close()
    assert chain.deal(deal).state == "ended"


def test_an_epoch_without_an_audit_is_not_paid() -> None:
    chain = with_miners("a")
    chain.store_deal(1000, "a")
    chain.audit(a="passed")
    chain.close()
    earned = chain.balance("a payout")
    chain.close()
    assert chain.balance("a payout") == earned


def test_the_latest_audit_of_an_epoch_decides() -> None:
    chain = with_miners("a")
    chain.store_deal(1024, "a")
    earned = chain.balance("a payout")
    chain.audit(a="timeout")
    chain.audit(a="passed")
    chain.close()
    assert chain.balance("a payout") == earned + net(PRICE)
    chain.audit(a="passed")
    chain.audit(a="timeout")
    chain.close()
    assert chain.balance("a payout") == earned + net(PRICE)


def test_a_verifier_s_own_error_costs_the_miner_nothing() -> None:
    chain = with_miners("a", "new")
    chain.store_deal(1024, "a", "new")
    earned, none = chain.balance("a payout"), chain.balance("new payout")
    chain.audit(a="passed", new="verifier")
    chain.close()
    chain.audit(a="verifier")
    chain.close()
    assert chain.balance("a payout") == earned + 2 * net(PRICE)
    assert chain.balance("new payout") == none  # never proven


def test_a_deal_closed_by_its_owner_ends_at_once() -> None:
    chain = with_miners("a")
    deal = chain.store_deal(1024, "a", epochs=100)
    chain.audit(a="passed")
    chain.close()
    body = DealClose(deal=deal.id)
    assert chain.void("friend", body)[0] == "forbidden"
    told = refund(
        chain.deal(deal), [(row, chain.miner("a")) for _, row in chain.machine.scan(SHARDS)]
    )
    chain.do("customer", body)
    row = chain.deal(deal)
    assert (row.state, row.spent) == ("ended", INGRESS + PRICE)
    assert told == row.refunded == row.escrow - INGRESS - PRICE
    assert refund(row, []) == 0
    assert chain.miner("a").held_kib == chain.miner("a").held_shards == 0
    assert chain.void("customer", body)[0] == "conflict"
    chain.check_books()


def test_an_open_deal_can_be_closed() -> None:
    chain = Chain()
    deal = opened(chain)
    chain.do("customer", DealClose(deal=deal.id))
    assert chain.machine.supply.escrowed == 0
    for _ in range(TEST.deal_open_epochs + 1):
        chain.close()


def test_a_renewed_deal_lives_longer() -> None:
    chain = with_miners("a")
    deal = chain.store_deal(3000, "a", epochs=2)
    cost = storage_fee(3, 5, TEST)
    short = DealRenew(deal=deal.id, epochs=5, escrow=cost - 1)
    assert chain.void("customer", short)[0] == "funds"
    body = DealRenew(deal=deal.id, epochs=5, escrow=cost)
    assert chain.void("friend", body)[0] == "forbidden"
    chain.do("customer", body)
    for _ in range(6):
        chain.audit(a="passed")
        chain.close()
    assert chain.deal(deal).state == "active"
    chain.audit(a="passed")
    chain.close()
    assert chain.deal(deal).refunded == 0
    assert chain.void("customer", body)[0] == "conflict"


def test_a_deal_cannot_be_renewed_without_end() -> None:
    chain = with_miners("a")
    deal = chain.store_deal(10, "a", epochs=4)
    body = DealRenew(deal=deal.id, epochs=TEST.deal_epochs_max - 3, escrow=10**9)
    assert chain.void("customer", body)[0] == "limit"
    longest = msgspec.structs.replace(body, epochs=TEST.deal_epochs_max - 4)
    chain.do("customer", longest)


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(1, 9000),
    epochs=st.integers(1, 4),
    extra=st.integers(0, 1000),
    passes=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_no_vein_is_lost_or_made(size: int, epochs: int, extra: int, passes: list[bool]) -> None:
    chain = with_miners("a", "b")
    deal = chain.store_deal(size, "a", "b", epochs=epochs, extra=extra)
    for passed in passes:
        chain.audit(a="passed" if passed else "timeout", b="passed")
        chain.close()
    row = chain.deal(deal)
    kib = -(-size // 1024)
    proven = sum(passes[:epochs]) + epochs
    assert row.spent == 2 * kib * INGRESS + proven * kib * PRICE
    assert row.refunded == row.escrow - row.spent
    assert chain.machine.supply.escrowed == 0
    chain.check_books()


# What a commit must prove


def refused(chain: Chain, body: DealCommit, who: str = "customer") -> tuple[str, str]:
    return chain.void(who, body)


def commit_of(chain: Chain, deal: ParsedUnit, *names: str) -> DealCommit:
    return chain.commit_body(deal.id, chain.segments(deal.id, 1000, *names))


def again(body: DealCommit, **shard: object) -> DealCommit:
    """The body with its first shard changed, verified again."""
    first, *others = body.segments[0].shards
    changed = [msgspec.structs.replace(first, **shard), *others]
    segments = [msgspec.structs.replace(body.segments[0], shards=changed)]
    verification = sign_verification(keys("super"), body.deal, segments)
    return msgspec.structs.replace(body, segments=segments, verification=verification)


def test_a_commit_is_the_owner_s_and_happens_once() -> None:
    chain = with_miners("a", "b")
    deal = opened(chain)
    body = commit_of(chain, deal, "a", "b")
    assert refused(chain, body, "friend")[0] == "forbidden"
    chain.do("customer", body)
    assert refused(chain, body)[0] == "conflict"
    nowhere = msgspec.structs.replace(body, deal=chain.blocks[0].units[0])
    assert refused(chain, nowhere)[0] == "unknown"


def test_a_receipt_that_the_miner_did_not_sign() -> None:
    chain = with_miners("a", "b")
    body = commit_of(chain, opened(chain), "a", "b")
    for shard in (
        {"receipt": bytes(64)},
        {"root": digest("other")},
        {"receipt": body.segments[0].shards[1].receipt},
    ):
        code, reason = refused(chain, again(body, **shard))
        assert code == "signature"
        assert "receipt for shard" in reason


def test_a_receipt_for_another_deal() -> None:
    chain = with_miners("a", "b")
    old = commit_of(chain, opened(chain), "a", "b")
    deal = opened(chain)
    body = chain.commit_body(deal.id, old.segments)
    assert refused(chain, body)[0] == "signature"


def test_a_verification_that_no_super_node_signed_for_this() -> None:
    chain = with_miners("a", "b")
    body = commit_of(chain, opened(chain), "a", "b")
    stranger = sign_verification(keys("friend"), body.deal, body.segments)
    assert refused(chain, msgspec.structs.replace(body, verification=stranger))[0] == "forbidden"
    pretended = msgspec.structs.replace(stranger, super=keys("super").public)
    assert refused(chain, msgspec.structs.replace(body, verification=pretended))[0] == "signature"
    other = commit_of(chain, opened(chain), "a", "b").verification
    code, reason = refused(chain, msgspec.structs.replace(body, verification=other))
    assert code == "signature"
    assert "have it verified again" in reason


def test_repair_keys_for_every_super_node() -> None:
    chain = with_miners("a", "b")
    body = commit_of(chain, opened(chain), "a", "b")
    for repair in (b"", b"\x80", encode_repair([RepairBox(super=bytes(32), box=bytes(80))])):
        assert refused(chain, msgspec.structs.replace(body, repair=repair))[0] == "malformed"


def test_shards_of_a_segment_share_neither_miner_nor_domain() -> None:
    chain = with_miners("a", "b")
    deal = opened(chain)
    assert refused(chain, commit_of(chain, deal, "a", "a"))[0] == "conflict"
    for name in ("c", "d"):
        body = MinerRegister(
            vrf=bytes(32), payout=bytes(32), url="http://x", group="rack", owner="one"
        )
        chain.do(name, body)
    code, reason = refused(chain, commit_of(chain, deal, "c", "d"))
    assert code == "conflict"
    assert "2 shards on 2 miners in 1 failure domains" in reason
    assert refused(chain, commit_of(chain, deal, "a", "nobody"))[0] == "unknown"


def test_a_commit_stays_within_what_was_opened() -> None:
    chain = with_miners("a", "b", "c")
    deal = opened(chain)
    assert refused(chain, commit_of(chain, deal, "a", "b", "c"))[0] == "conflict"
    two = chain.commit_body(deal.id, chain.segments(deal.id, 500, "a", "b", count=2))
    assert refused(chain, two)[0] == "limit"
    large = chain.commit_body(deal.id, chain.segments(deal.id, 1001, "a", "b"))
    code, reason = refused(chain, large)
    assert code == "limit"
    assert "2002 bytes, the deal was opened for 2000" in reason


def test_an_escrow_that_rounding_made_too_small() -> None:
    """1,000 bytes are less than 2 KiB together, but four shards of one KiB each."""
    chain = with_miners("a", "b", "c", "d")
    escrow = deal_escrow(1, 4, TEST)
    terms = DealOpen(size=1000, segments=1, k=1, n=4, epochs=4, escrow=escrow)
    deal = chain.do("customer", terms)
    body = chain.commit_body(deal.id, chain.segments(deal.id, 250, "a", "b", "c", "d"))
    code, reason = refused(chain, body)
    assert code == "funds"
    assert f"need {deal_escrow(4, 4, TEST)}" in reason


def test_segments_are_well_formed() -> None:
    chain = with_miners("a", "b")
    deal = opened(chain)
    segments = chain.segments(deal.id, 1000, "a", "b")
    for chunks in (0, TEST.segment_chunks + 1):
        changed = [msgspec.structs.replace(segments[0], chunks=chunks)]
        assert refused(chain, chain.commit_body(deal.id, changed))[0] == "limit"
    smaller = chain.shard(deal.id, 0, 1, "b", 999)
    uneven = [msgspec.structs.replace(segments[0], shards=[segments[0].shards[0], smaller])]
    assert refused(chain, chain.commit_body(deal.id, uneven))[0] == "malformed"
