"""A snapshot is believed as far as its app hash goes, and no further."""

import pytest
from cybervein_protocol.errors import MalformedError, ProofError
from cybervein_protocol.ledger.chain.block import header_of
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.snapshot import restore
from ledger_chain import Chain


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = Chain()
    chain.miners(a=2, b=1)
    chain.store_deal(1000, "a", "b")
    return chain


def test_a_restored_state_goes_on_like_the_first(chain: Chain) -> None:
    store = MemoryStore()
    restore(store, chain.machine.snapshot(), chain.machine.app_hash)
    assert (store.rows, store.nodes) == (chain.store.rows, chain.store.nodes)
    twin = StateMachine(chain.genesis, store)
    chain.close()
    block = chain.blocks[-1]
    units = [twin.check_tx(chain.units[cid]) for cid in block.units]
    assert twin.finalize_block(header_of(block), units).app_hash == block.app_hash


def test_a_snapshot_is_every_row_in_order(chain: Chain) -> None:
    rows = list(chain.machine.snapshot())
    assert dict(rows) == chain.store.rows
    assert rows == sorted(rows)


def test_a_row_more_less_or_other_is_refused(chain: Chain) -> None:
    rows = dict(chain.machine.snapshot())
    first, second = [key for key in rows if key.startswith(b"acct/")][:2]
    swapped = rows | {first: rows[second]}
    less = {key: row for key, row in rows.items() if key != first}
    more = rows | {b"acct/" + bytes(32): rows[first]}
    for wrong in (swapped, less, more):
        store = MemoryStore()
        with pytest.raises(ProofError, match="snapshot of"):
            restore(store, wrong.items(), chain.machine.app_hash)
        assert store.rows == {}


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (b"acct/" + bytes(32), b"\xa0\xa0"),
        (b"what/" + bytes(32), b"\xa0"),
        (b"no table", b"\xa0"),
        (b"meta/tail", b"\xa0"),
    ],
)
def test_a_row_that_is_none_is_named(chain: Chain, key: bytes, row: bytes) -> None:
    rows = dict(chain.machine.snapshot()) | {key: row}
    with pytest.raises(MalformedError, match="of no known table or shape"):
        restore(MemoryStore(), rows.items(), chain.machine.app_hash)
