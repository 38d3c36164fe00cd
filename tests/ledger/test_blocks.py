"""Blocks: what may be in one, in which order, and that a void unit leaves no trace."""

import pytest
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import ConflictError, ProofError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain import execution, selection
from cybervein_protocol.ledger.chain.block import RULES, BlockHeader, decode_block
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.epochs.beacon import genesis_beacon, next_beacon, prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.mining.bodies import PlotBatch, PlotEntry
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.rows import EPOCHS, HEAD, HEAD_ID, epoch_id
from cybervein_protocol.ledger.units.unit import make_unit
from cybervein_protocol.vrf import public_key
from ledger_chain import RICH, ZERO, Chain, digest, keys


def pay(amount: int, to: str = "stranger") -> Transfer:
    return Transfer(to=keys(to).public, amount=amount, memo="")


def closing(chain: Chain) -> EpochClose:
    proof = prove_beacon(digest("super vrf"), chain.machine.head.beacon, chain.epoch)
    return EpochClose(epoch=chain.epoch, vrf_proof=proof)


def test_a_transfer_moves_money_and_burns_its_fee() -> None:
    chain = Chain()
    unit = chain.do("customer", pay(500))
    assert chain.balance("stranger") == 500
    assert chain.balance("customer") == RICH - 500 - unit.unit.fee
    assert chain.machine.supply.burnt == unit.unit.fee
    chain.check_books()


def test_a_void_unit_changes_its_fee_and_nonce_and_nothing_else() -> None:
    chain = Chain()
    unit = chain.unit("customer", pay(RICH))
    result = chain.block(unit)
    assert [void.code for void in result.voids] == ["funds"]
    assert "fund it with" in result.reasons[unit.id]
    assert chain.balance("customer") == RICH - unit.unit.fee
    assert chain.machine.next_nonce(keys("customer").public) == 1
    tables = {key.split(b"/")[0] for key in result.changed}
    assert tables == {b"acct", b"meta", b"unit"}
    assert len([key for key in result.changed if key.startswith(b"acct/")]) == 1
    chain.check_books()


def test_a_unit_that_fails_half_way_is_undone_whole() -> None:
    """The second plot of this batch is live already; the first must not stay."""
    chain = Chain()
    chain.register("a")
    chain.batch("a", 1)
    before = dict(chain.store.rows)
    plots = [PlotEntry(index=index, kappa=digest("k"), gamma=digest("g")) for index in (1, 0)]
    code, reason = chain.void("a", PlotBatch(plots=plots, bond=0))
    assert code == "conflict"
    assert "already live; retire it first" in reason
    changed = {
        key.split(b"/")[0] for key, row in chain.store.rows.items() if before.get(key) != row
    }
    assert changed == {b"acct", b"meta", b"unit"}


def test_units_of_one_block_build_on_each_other() -> None:
    chain = Chain()
    first = chain.unit("customer", pay(5000, "friend"))
    second = chain.unit("customer", pay(6000, "friend"), ahead=1)
    chain.block(first, second)
    assert chain.balance("friend") == RICH + 11_000


def test_fees_are_paid_by_what_was_there_when_the_block_began() -> None:
    chain = Chain()
    gift = chain.unit("customer", pay(10**6))
    spend = chain.unit("stranger", pay(1, "friend"))
    with pytest.raises(ConflictError, match=r"unit 1 cannot be in it: .* does not cover the fee"):
        chain.block(gift, spend)
    chain.block(gift)
    chain.block(spend)
    assert chain.balance("friend") == RICH + 1


def test_prepare_orders_what_came_in_the_wrong_order() -> None:
    chain = Chain()
    units = [chain.unit("customer", pay(1), ahead=i) for i in range(3)]
    end = chain.unit("super", closing(chain))
    ready = chain.machine.prepare([end, units[2], units[1], units[0]])
    assert ready == [*units, end]
    chain.block(*ready)


def test_prepare_leaves_out_what_cannot_go_in() -> None:
    chain = Chain()
    good = chain.unit("customer", pay(1))
    rival = chain.unit("customer", pay(2))
    gap = chain.unit("customer", pay(1), ahead=5)
    poor = chain.unit("stranger", pay(1))
    assert chain.machine.prepare([good, rival, gap, poor]) == [good]


def test_prepare_finds_a_child_that_came_before_its_parent() -> None:
    chain = Chain()
    parent = chain.unit("customer", pay(1))
    tips = sorted([chain.tips[0], parent.id], key=bytes)
    fee = parent.unit.fee
    made = make_unit(
        chain.machine.network, pay(1), parents=tips, key=keys("friend"), nonce=0, fee=fee
    )
    child = parse_unit(encode(made), chain.machine.network, chain.preset.unit_bytes_max)
    assert chain.machine.prepare([child, parent]) == [parent, child]


def test_a_block_is_filled_up_to_its_limit_with_the_closing_last() -> None:
    chain = Chain()
    limit = chain.preset.block_units_max
    units = [chain.unit("customer", pay(1), ahead=i) for i in range(limit)]
    end = chain.unit("super", closing(chain))
    ready = chain.machine.prepare([*units, end])
    assert len(ready) == limit
    assert ready[-1] == end


def test_a_block_is_limited_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    units = [chain.unit("customer", pay(1), ahead=i) for i in range(4)]
    most = 2 * units[0].size + 1
    monkeypatch.setattr(selection, "UNITS_BYTES_MAX", most)
    monkeypatch.setattr(execution, "UNITS_BYTES_MAX", most)
    assert chain.machine.prepare(units) == units[:2]
    with pytest.raises(ConflictError, match=rf"bytes, at most {most}"):
        chain.block(*units)
    chain.block(*units[:2])


def test_a_stale_closing_does_not_stand_in_the_way() -> None:
    chain = Chain()
    stale = chain.unit("super", closing(chain))
    chain.close()
    fresh = chain.unit("super", closing(chain))
    assert chain.machine.prepare([stale, fresh]) == [fresh]


def test_epoch_close_must_be_last() -> None:
    chain = Chain()
    end = chain.unit("super", closing(chain))
    after = chain.unit("customer", pay(1))
    with pytest.raises(ConflictError, match=r"epoch\.close is not its last unit"):
        chain.block(end, after)


@pytest.mark.parametrize(
    "header", [BlockHeader(2, 0, RULES), BlockHeader(0, 0, RULES), BlockHeader(1, 1, RULES)]
)
def test_a_block_follows_its_predecessor(header: BlockHeader) -> None:
    fresh = Chain().machine
    with pytest.raises(ConflictError, match="expected 1 of epoch 0"):
        fresh.process(header, [])


def test_the_same_unit_twice_in_a_block() -> None:
    chain = Chain()
    unit = chain.unit("customer", pay(1))
    with pytest.raises(ConflictError, match="nonce 0 was used"):
        chain.machine.process(BlockHeader(1, 0, RULES), [unit, unit])


def test_nothing_is_written_before_commit_and_execution_repeats() -> None:
    chain = Chain()
    unit = chain.unit("customer", pay(1))
    rows, nodes = dict(chain.store.rows), dict(chain.store.nodes)
    first = chain.machine.finalize_block(BlockHeader(1, 0, RULES), [unit])
    assert (chain.store.rows, chain.store.nodes) == (rows, nodes)
    restarted = StateMachine(chain.genesis, chain.store)
    second = restarted.finalize_block(BlockHeader(1, 0, RULES), [unit])
    assert second.app_hash == first.app_hash
    restarted.commit()
    with pytest.raises(ConflictError, match="no block is finalized"):
        restarted.commit()


def test_a_restored_snapshot_has_the_app_hash() -> None:
    chain = Chain()
    chain.miners(a=2, b=1)
    assert smt.root_of(chain.machine.snapshot()) == chain.machine.app_hash
    restored = MemoryStore()
    rows = dict(chain.machine.snapshot())
    tree = smt.update(smt.EMPTY, dict(rows), restored.node)
    restored.write(dict(rows), {**tree.nodes(), b"root": tree.root})
    assert restored.nodes == chain.store.nodes
    assert StateMachine(chain.genesis, restored).head == chain.machine.head


def test_a_row_is_proved_under_the_app_hash() -> None:
    chain = Chain()
    chain.do("customer", pay(1))
    key = HEAD.key(HEAD_ID)
    proof = smt.prove(chain.machine.app_hash, key, chain.store.node)
    smt.verify(chain.machine.app_hash, key, chain.store.rows[key], proof)
    with pytest.raises(ProofError):
        smt.verify(chain.machine.app_hash, key, chain.store.rows[key] + b"x", proof)


def test_beacons_follow_from_the_super_node_s_key_alone() -> None:
    chain = Chain()
    before = chain.machine.head.beacon
    assert before == genesis_beacon(chain.machine.network)
    chain.close()
    proof = prove_beacon(digest("super vrf"), before, 0)
    expected = next_beacon(public_key(digest("super vrf")), before, 0, proof)
    assert chain.machine.head.beacon == expected
    row = chain.machine.get(EPOCHS, epoch_id(0))
    assert row is not None
    assert (row.beacon, row.vrf_proof, row.closed) == (before, proof, 1)


def test_a_beacon_proof_by_another_key_or_of_another_epoch_is_void() -> None:
    chain = Chain()
    beacon = chain.machine.head.beacon
    forged = EpochClose(epoch=0, vrf_proof=prove_beacon(ZERO, beacon, 0))
    assert chain.void("super", forged)[0] == "proof"
    early = prove_beacon(digest("super vrf"), beacon, 1)
    body = EpochClose(epoch=0, vrf_proof=early)
    assert chain.void("super", body)[0] == "proof"
    late = EpochClose(epoch=1, vrf_proof=early)
    assert chain.void("super", late)[0] == "conflict"
    assert chain.epoch == 0


def test_blocks_survive_their_encoding() -> None:
    chain = Chain()
    chain.do("customer", pay(1))
    block = chain.blocks[0]
    assert decode_block(encode(block)) == block
