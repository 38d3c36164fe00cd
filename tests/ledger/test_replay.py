"""A chain replays to the same hashes, and a changed one is caught at the changed place."""

import msgspec
import pytest
from cybervein_protocol.errors import CyberVeinError, ProofError, SignatureError, UnknownError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import Block, Void, sign_block
from cybervein_protocol.ledger.chain.replay import replay, replay_blocks
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.presets import LOCAL
from ledger_chain import Chain, genesis_of, keys


@pytest.fixture(scope="module")
def chain() -> Chain:
    """Some epochs with everything in them."""
    chain = Chain()
    chain.miners(a=2, b=4, c=2)
    deal = chain.store_deal(5000, "a", "b", epochs=3)
    for _ in range(2):
        chain.measure(a=2, b=4, c=2)
        chain.bandwidth(a=10**6, b=10**6, c=10**6)
        chain.audit(a="wrong", b="passed", c="timeout")
        chain.close()
    chain.do("super", chain.move(deal, 0, "a", "c", size=5000))
    chain.void("customer", Transfer(to=bytes(32), amount=1 << 62, memo=""))
    chain.block()
    chain.close()
    chain.check_books()
    return chain


def with_block(chain: Chain, at: int, **changes: object) -> list[Block]:
    """The chain's blocks with one changed and signed again."""
    changed = sign_block(msgspec.structs.replace(chain.blocks[at], **changes), keys("super"))
    return [*chain.blocks[:at], changed, *chain.blocks[at + 1 :]]


def test_the_same_blocks_give_the_same_hashes(chain: Chain) -> None:
    hashes = replay(chain.genesis, chain.blocks, chain.units)
    assert hashes == [block.app_hash for block in chain.blocks]
    assert len(set(hashes)) == len(hashes)


def test_a_replayed_store_is_the_store(chain: Chain) -> None:
    store = MemoryStore()
    steps = list(replay_blocks(chain.genesis, chain.blocks, chain.units, store))
    assert (store.rows, store.nodes) == (chain.store.rows, chain.store.nodes)
    assert [event for step in steps for event in step.result.events] == chain.events


def test_a_claimed_app_hash_that_is_not_the_one(chain: Chain) -> None:
    with pytest.raises(ProofError, match="block 5: app hash 0000000000000000, executing gives"):
        replay(chain.genesis, with_block(chain, 4, app_hash=bytes(32)), chain.units)


def test_voids_that_were_not(chain: Chain) -> None:
    void = Void(unit=chain.blocks[4].units[0], code="funds")
    with pytest.raises(ProofError, match="lists 1 void units, executing gives 0"):
        replay(chain.genesis, with_block(chain, 4, voids=[void]), chain.units)


def test_a_missing_block_and_blocks_in_another_order(chain: Chain) -> None:
    with pytest.raises(ProofError, match="the list has a gap"):
        replay(chain.genesis, chain.blocks[1:], chain.units)
    with pytest.raises(ProofError, match="the list has a gap"):
        replay(chain.genesis, [chain.blocks[1], chain.blocks[0]], chain.units)


def test_a_unit_that_is_missing_or_another(chain: Chain) -> None:
    first, second = chain.blocks[0].units[0], chain.blocks[1].units[0]
    without = {cid: raw for cid, raw in chain.units.items() if cid != first}
    with pytest.raises(UnknownError, match="not in the export"):
        replay(chain.genesis, chain.blocks, without)
    swapped = chain.units | {first: chain.units[second]}
    with pytest.raises(ProofError, match="its bytes are"):
        replay(chain.genesis, chain.blocks, swapped)


def test_a_proposer_that_is_nobody_or_did_not_sign(chain: Chain) -> None:
    stranger = keys("friend").public
    with pytest.raises(ProofError, match="who is no super node"):
        replay(chain.genesis, with_block(chain, 0, proposer=stranger), chain.units)
    unsigned = msgspec.structs.replace(chain.blocks[0], sig=bytes(64))
    with pytest.raises(SignatureError):
        replay(chain.genesis, [unsigned], chain.units)


def test_another_genesis(chain: Chain) -> None:
    with pytest.raises(ProofError, match="expected another"):
        replay(genesis_of(LOCAL), chain.blocks, chain.units)


def test_a_unit_left_out_of_a_block(chain: Chain) -> None:
    with pytest.raises(CyberVeinError):
        replay(chain.genesis, with_block(chain, 0, units=[]), chain.units)
