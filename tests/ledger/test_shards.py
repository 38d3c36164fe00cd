"""Repair: the row moves, the old miner is settled and pays the way, the new one is paid on."""

import msgspec
import pytest
from cybervein_protocol.encoding import cid_root, encode
from cybervein_protocol.ledger.mining.bodies import MinerDrain
from cybervein_protocol.ledger.state.rows import SHARDS, ShardRow, shard_id
from cybervein_protocol.ledger.storage.bodies import DealClose, ShardLost
from cybervein_protocol.ledger.storage.shards import degraded
from cybervein_protocol.ledger.units.events import ShardPlaced
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.presets import TEST
from ledger_chain import Chain, digest, genesis_of, keys

PRICE, INGRESS = TEST.price_veins_per_kib_epoch, TEST.ingress_veins_per_kib
SIZE = 3000


def net(amount: int) -> int:
    return amount - amount * TEST.commission_per_mille // 1000


def stored(*, bond: int = 0) -> tuple[Chain, ParsedUnit]:
    """A deal at a and b; c is free; a may have a bond."""
    chain = Chain(genesis_of(rich=("customer", "a")))
    for name in "abc":
        chain.register(name)
    if bond:
        chain.batch("a", 1, bond=bond)
    return chain, chain.store_deal(SIZE, "a", "b")


def shard_of(chain: Chain, deal: ParsedUnit, index: int) -> ShardRow:
    row = chain.machine.get(SHARDS, shard_id(cid_root(deal.id), 0, index))
    assert row is not None
    return row


def lost(deal: ParsedUnit, name: str, index: int = 0) -> ShardLost:
    return ShardLost(deal=deal.id, segment=0, index=index, from_=keys(name).public, reason="silent")


def test_a_moved_shard_is_settled_here_and_paid_there() -> None:
    chain, deal = stored()
    chain.audit(a="passed", b="passed")
    chain.close()
    chain.do("super", chain.move(deal, 0, "a", "c", size=SIZE))
    assert shard_of(chain, deal, 0).miner == keys("c").public
    assert shard_of(chain, deal, 0).root == digest("shard 0 0")
    assert chain.deal(deal).spent == 6 * INGRESS + 3 * PRICE
    assert (chain.miner("a").held_kib, chain.miner("c").held_kib) == (0, 3)
    chain.check_books()
    for _ in range(3):
        chain.audit(a="passed", b="passed", c="passed")
        chain.close()
    row = chain.deal(deal)
    assert (row.state, row.spent, row.refunded) == ("ended", 6 * INGRESS + 24 * PRICE, 0)
    assert chain.balance("a payout") == net(3 * INGRESS) + net(3 * PRICE)
    assert chain.balance("c payout") == 3 * net(3 * PRICE)
    chain.check_books()


@pytest.mark.parametrize(("bond", "paid"), [(10**6, 3 * INGRESS), (7, 7)])
def test_the_old_miner_s_bond_pays_the_way_as_far_as_it_reaches(bond: int, paid: int) -> None:
    chain, deal = stored(bond=bond)
    chain.do("super", chain.move(deal, 0, "a", "c", size=SIZE))
    assert chain.miner("a").bonded == bond - paid
    assert chain.miner("a").penalties == paid
    assert chain.balance("c payout") == net(paid)
    chain.check_books()


def test_a_lost_shard_is_paid_no_more() -> None:
    chain, deal = stored()
    chain.do("super", lost(deal, "a"))
    assert degraded(chain.deal(deal))
    assert chain.miner("a").held_kib == 0
    earned = chain.balance("a payout")
    for _ in range(4):
        chain.audit(a="passed", b="passed")
        chain.close()
    row = chain.deal(deal)
    assert (row.state, row.spent) == ("ended", 6 * INGRESS + 4 * 3 * PRICE)
    assert not degraded(row)
    assert chain.balance("a payout") == earned
    chain.check_books()


def test_a_lost_shard_can_be_rebuilt_later() -> None:
    chain, deal = stored()
    chain.do("super", lost(deal, "a"))
    assert "is given up already" in chain.void("super", lost(deal, "a"))[1]
    chain.close()
    chain.do("super", chain.move(deal, 0, "a", "c", size=SIZE))
    assert not degraded(chain.deal(deal))
    assert not shard_of(chain, deal, 0).lost
    chain.audit(c="passed")
    chain.close()
    assert chain.miner("c").fees == net(3 * PRICE)
    chain.check_books()


def test_what_a_move_may_not_be() -> None:
    chain, deal = stored()
    good = chain.move(deal, 0, "a", "c", size=SIZE)
    cases = {
        "unknown": [{"index": 2}, {"segment": 1}, {"deal": chain.blocks[0].units[0]}],
        "conflict": [{"from_": keys("b").public}, {"root": digest("other")}],
        "signature": [{"receipt": bytes(64)}, {"to": keys("a").public}],
    }
    for code, changes in cases.items():
        for change in changes:
            body = msgspec.structs.replace(good, **change)
            assert chain.void("super", body)[0] == code
    twice = chain.move(deal, 0, "a", "b", size=SIZE)
    assert "failure domains" in chain.void("super", twice)[1]
    wrong_size = chain.move(deal, 0, "a", "c", size=SIZE - 1)
    assert chain.void("super", wrong_size)[0] == "signature"
    chain.do("super", good)


def test_nothing_moves_after_the_end() -> None:
    chain, deal = stored()
    chain.do("customer", DealClose(deal=deal.id))
    body = chain.move(deal, 0, "a", "c", size=SIZE)
    assert "no such shard is live" in chain.void("super", body)[1]
    assert chain.void("super", lost(deal, "a"))[0] == "unknown"


def test_views_are_told() -> None:
    chain, deal = stored()
    chain.do("super", lost(deal, "a"))
    chain.do("super", chain.move(deal, 0, "a", "c", size=SIZE))
    told = [event for event in chain.events if isinstance(event, ShardPlaced)]
    assert [event.to for event in told] == [b"", keys("c").public]


def test_shards_leave_a_draining_miner_and_none_come_to_it() -> None:
    chain, deal = stored(bond=10**6)
    chain.do("a", MinerDrain(draining=True))
    chain.do("c", MinerDrain(draining=True))
    code, reason = chain.void("super", chain.move(deal, 0, "a", "c", size=SIZE))
    assert (code, "drains; choose another" in reason) == ("conflict", True)
    chain.do("c", MinerDrain(draining=False))
    chain.do("super", chain.move(deal, 0, "a", "c", size=SIZE))
    assert (chain.miner("a").held_shards, chain.miner("c").held_shards) == (0, 1)
    assert chain.miner("a").penalties == 3 * INGRESS
    chain.check_books()


def test_a_drain_is_said_once_or_twice_and_cancelling_leaves_the_row_as_it_was() -> None:
    chain, _ = stored()
    before = chain.miner("a")
    for draining in (True, True):
        chain.do("a", MinerDrain(draining=draining))
        assert chain.miner("a").drains
    for draining in (False, False):
        chain.do("a", MinerDrain(draining=draining))
    assert encode(chain.miner("a")) == encode(before)
    assert chain.void("nobody", MinerDrain(draining=True))[0] == "unknown"
