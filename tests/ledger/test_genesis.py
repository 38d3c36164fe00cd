"""A genesis names its network, funds its accounts, and refuses to be ambiguous."""

import msgspec
import pytest
from cybervein_protocol.encoding import cid_root, encode, node_cid
from cybervein_protocol.errors import ConflictError, MalformedError
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.epochs.beacon import genesis_beacon
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.rows import UNITS
from cybervein_protocol.ledger.units.genesis import (
    Allocation,
    decode_genesis,
    network_id,
    root_units,
)
from cybervein_protocol.presets import LOCAL
from ledger_chain import RICH, Chain, digest, genesis_of, keys


def test_the_network_is_the_cid_of_the_encoded_genesis() -> None:
    genesis = genesis_of()
    assert network_id(genesis) == node_cid(encode(genesis))
    assert decode_genesis(encode(genesis)) == genesis
    assert network_id(genesis_of(LOCAL)) != network_id(genesis)


def test_height_zero_has_the_accounts_the_roots_and_the_first_beacon() -> None:
    chain = Chain()
    assert chain.balance("customer") == RICH
    assert chain.balance("stranger") == 0
    assert chain.machine.head.height == 0
    assert chain.machine.head.beacon == genesis_beacon(chain.machine.network)
    assert chain.machine.supply.held == chain.machine.supply.genesis == 2 * RICH
    for root in root_units(chain.genesis):
        assert chain.machine.get(UNITS, cid_root(root)) is not None
    chain.check_books()


def test_a_store_opens_again_where_it_was() -> None:
    chain = Chain()
    chain.register("a")
    again = StateMachine(chain.genesis, chain.store)
    assert again.app_hash == chain.machine.app_hash
    assert again.head.height == 1


def test_a_store_of_another_network_is_refused() -> None:
    store = MemoryStore()
    StateMachine(genesis_of(), store)
    with pytest.raises(ConflictError, match="use the data directory of this network"):
        StateMachine(genesis_of(LOCAL), store)


@pytest.mark.parametrize("what", ["super nodes", "accounts", "roots"])
def test_two_with_one_key_are_refused(what: str) -> None:
    genesis = genesis_of()
    doubled = {
        "super nodes": {"super_nodes": genesis.super_nodes * 2},
        "accounts": {"accounts": genesis.accounts * 2},
        "roots": {"roots": [digest("one")] * 2},
    }[what]
    with pytest.raises(MalformedError, match=f"two {what} with one key"):
        decode_genesis(encode(msgspec.structs.replace(genesis, **doubled)))


def test_more_money_than_63_bits_is_refused() -> None:
    accounts = [Allocation(key=keys(name).public, balance=1 << 62) for name in ("a", "b")]
    genesis = msgspec.structs.replace(genesis_of(), accounts=accounts)
    with pytest.raises(MalformedError, match="2\\^63"):
        decode_genesis(encode(genesis))
