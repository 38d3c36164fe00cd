"""Genesis: the first state of a network, and its name.

The network's identifier is the CID of the encoded genesis, so whoever pins the CID pins every
number (the whole preset), the super nodes' keys and the first balances.
"""

from typing import Annotated, Final, Literal

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U63, Amount, Bytes32, Record, decode, encode, node_cid
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.presets import Preset

GENESIS_BYTES_MAX: Final = 1 << 20
PARENTS_MIN: Final = 2

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class SuperNode(Record):
    """A super node's keys: `key` signs (Ed25519), `vrf` draws beacons, `seal` opens (X25519)."""

    key: Bytes32
    vrf: Bytes32
    seal: Bytes32
    url: Url


class Allocation(Record):
    """A first balance, in veins."""

    key: Bytes32
    balance: Amount


class Genesis(Record):
    """The first state. `roots` seed the two root units that the first units cite as parents."""

    v: Literal[1]
    chain: Literal["cybervein"]
    created: U63
    preset: Preset
    super_nodes: Annotated[list[SuperNode], msgspec.Meta(min_length=1, max_length=64)]
    accounts: Annotated[list[Allocation], msgspec.Meta(max_length=4096)]
    roots: Annotated[list[Bytes32], msgspec.Meta(min_length=PARENTS_MIN, max_length=PARENTS_MIN)]


class _RootUnit(Record):
    v: Literal[1]
    root: Bytes32


def decode_genesis(data: bytes) -> Genesis:
    """The genesis of its encoding. Raises MalformedError or LimitError."""
    genesis = decode(data, Genesis, "genesis", GENESIS_BYTES_MAX)
    check_genesis(genesis)
    return genesis


def check_genesis(genesis: Genesis) -> None:
    """Raise MalformedError unless keys and roots are distinct and the sum fits 63 bits."""
    for what, keys in (
        ("super nodes", [node.key for node in genesis.super_nodes]),
        ("accounts", [entry.key for entry in genesis.accounts]),
        ("roots", genesis.roots),
    ):
        if len(set(keys)) != len(keys):
            raise MalformedError(f"genesis: two {what} with one key; give each its own")
    if sum(entry.balance for entry in genesis.accounts) >= 1 << 63:
        raise MalformedError("genesis: balances sum to 2^63 veins or more; fund less")


def network_id(genesis: Genesis) -> CID:
    """The network's identifier: the CID of the encoded genesis."""
    return node_cid(encode(genesis))


def root_units(genesis: Genesis) -> list[CID]:
    """The two root units, sorted by bytes: parents of the first units."""
    cids = [node_cid(encode(_RootUnit(v=1, root=root))) for root in genesis.roots]
    return sorted(cids, key=bytes)
