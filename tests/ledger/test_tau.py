"""tau: the state alone says which units an epoch had, in order, and proves it."""

import pytest
from blake3 import blake3
from cybervein_protocol.encoding import cid_root, encode
from cybervein_protocol.errors import ConflictError, UnknownError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import EpochBlock, epoch_block
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.chain.replay import replay_blocks
from cybervein_protocol.ledger.epochs.beacon import prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.rows import EPOCHS, TAU, TAU_ID, EpochRow, Tau, epoch_id
from cybervein_protocol.ledger.state.snapshot import restore
from cybervein_protocol.tree import root_and_outboard, slice_of, verify_slice
from ledger_chain import Chain, digest, keys


def pay(chain: Chain, count: int) -> None:
    """A block of so many transfers."""
    body = Transfer(to=keys("friend").public, amount=1, memo="")
    chain.block(*(chain.unit("customer", body, ahead=i) for i in range(count)))


def lists_of(chain: Chain, epoch: int) -> list[bytes]:
    """Digests of the units of each block of an epoch that has any, joined."""
    blocks = [block for block in chain.blocks if block.epoch == epoch and block.units]
    return [b"".join(map(cid_root, block.units)) for block in blocks]


def row_of(chain: Chain, epoch: int) -> EpochRow:
    row = chain.machine.get(EPOCHS, epoch_id(epoch))
    assert row is not None
    return row


def expected(chain: Chain, epoch: int) -> Tau:
    lists = lists_of(chain, epoch)
    roots = b"".join(blake3(entry).digest() for entry in lists)
    units = sum(len(entry) // 32 for entry in lists)
    return Tau(index=epoch, units=units, blocks=len(lists), root=blake3(roots).digest())


def test_an_epoch_s_block_has_all_its_units_and_is_what_the_row_says() -> None:
    chain = Chain()
    for counts in ((1, 0, 40), (), (31,), (32,), (64, 1)):
        for count in counts:
            pay(chain, count)
        epoch = chain.epoch
        closed = chain.close().closed
        assert closed is not None
        assert closed.tau == expected(chain, epoch)
        assert closed == epoch_block(row_of(chain, epoch))
    assert (row_of(chain, 0).tau, row_of(chain, 1).tau) == (expected(chain, 0), expected(chain, 1))
    assert (expected(chain, 0).units, expected(chain, 0).blocks) == (42, 3)


def test_void_units_are_in_it_and_a_void_closing_ends_nothing() -> None:
    chain = Chain()
    chain.void("customer", Transfer(to=keys("friend").public, amount=1 << 60, memo=""))
    wrong = EpochClose(epoch=0, vrf_proof=prove_beacon(digest("no"), bytes(32), 0))
    assert chain.void("super", wrong)[0] == "proof"
    assert chain.results[-1].closed is None
    closed = chain.close().closed
    assert closed is not None
    assert closed.tau == expected(chain, 0)
    assert closed.tau.units == 3


def test_the_row_stays_small_however_many_units_there_are() -> None:
    chain = Chain()
    pay(chain, 500)
    for _ in range(130):
        pay(chain, 1)
    row = chain.machine.get(TAU, TAU_ID)
    assert row is not None
    assert (row.units, row.blocks) == (630, 131)
    assert len(encode(row)) < 1200
    closed = chain.close().closed
    assert closed is not None
    assert closed.tau == expected(chain, 0)


def proved(content: bytes, root: bytes, at: int) -> bytes:
    """The 32 bytes at a place, through a slice that is checked by the root alone."""
    made, outboard = root_and_outboard(content)
    assert made == root
    proof = slice_of(lambda at, n: content[at : at + n], len(content), outboard, 32 * at, 32)
    return verify_slice(proof, root, 32 * at, 32, len(content))


def test_a_light_client_checks_a_unit_by_the_app_hash_alone() -> None:
    chain = Chain()
    pay(chain, 3)
    pay(chain, 100)
    chain.close()
    key, app_hash = EPOCHS.key(epoch_id(0)), chain.machine.app_hash
    proof = smt.prove(app_hash, key, chain.store.node)
    smt.verify(app_hash, key, encode(row_of(chain, 0)), proof)
    tau = row_of(chain, 0).tau
    assert isinstance(tau, Tau)
    lists = lists_of(chain, 0)
    assert len(lists) == tau.blocks
    list_root = proved(b"".join(blake3(entry).digest() for entry in lists), tau.root, 1)
    assert proved(lists[1], list_root, 70) == cid_root(chain.blocks[1].units[70])


def test_a_replay_makes_the_same_blocks_of_the_epochs() -> None:
    chain = Chain()
    pay(chain, 3)
    chain.close()
    chain.close()
    steps = replay_blocks(chain.genesis, chain.blocks, chain.units)
    assert [step.result.closed for step in steps] == [result.closed for result in chain.results]


def test_a_state_restored_in_the_middle_of_an_epoch_closes_it_the_same() -> None:
    chain = Chain()
    pay(chain, 33)
    store = MemoryStore()
    restore(store, chain.machine.snapshot(), chain.machine.app_hash)
    chain.machine = StateMachine(chain.genesis, store)
    closed = chain.close().closed
    assert closed is not None
    assert closed.tau == expected(chain, 0)


@pytest.mark.parametrize("closed_before", [0, 2])
def test_a_chain_of_rules_1_goes_on_by_rules_2_with_all_units_of_its_epoch(
    closed_before: int,
) -> None:
    chain = Chain(rules=1)
    for _ in range(closed_before):
        pay(chain, 2)
        assert chain.close().closed is None
    pay(chain, 3)
    pay(chain, 4)
    assert chain.machine.get(TAU, TAU_ID) is None
    chain.rules = 2
    pay(chain, 5)
    closed = chain.close().closed
    assert closed is not None
    assert closed.tau == expected(chain, closed_before)
    assert closed.tau.units == 13
    for epoch in range(closed_before):
        with pytest.raises(UnknownError, match="not closed by rules 2"):
            epoch_block(row_of(chain, epoch))
    after = chain.close().closed
    assert after is not None
    assert after.tau.units == 1


def test_a_chain_never_goes_back_to_earlier_rules() -> None:
    chain = Chain()
    pay(chain, 1)
    chain.rules = 1
    with pytest.raises(ConflictError, match="block 2: of rules 1, the chain is at rules 2"):
        pay(chain, 1)


def test_it_is_a_record_that_a_winner_can_sign() -> None:
    chain = Chain()
    closed = chain.close().closed
    assert isinstance(closed, EpochBlock)
    assert (closed.v, closed.phi.winner, closed.sigma.signatures) == (2, None, [])
    assert closed.phi.beacon == row_of(chain, 0).beacon
