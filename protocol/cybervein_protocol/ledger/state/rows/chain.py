"""Rows of people's accounts and of the chain itself: units, epochs, where it stands, its books."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from cybervein_protocol.encoding import U63, Amount, Bytes32, Record
from cybervein_protocol.names import Veins
from cybervein_protocol.tree.shape import CHUNK


class AccountRow(Record, kw_only=True):
    """A balance; `nonce` is the next unit's; `free_used` counts fee-free units of `free_epoch`."""

    balance: Amount = Veins(0)
    nonce: U63 = 0
    free_epoch: U63 = 0
    free_used: U63 = 0


class UnitRow(Record):
    """A final unit: where it is. Known units may be cited as parents."""

    height: U63
    index: U63


class Tau(Record):
    """tau of a CyberVein block: the units that an epoch executed, in order, under one root.

    A block's list is the digests of its units' CIDs, 32 bytes each; `root` is the BLAKE3 hash of
    the BLAKE3 hashes of the lists of the epoch's `blocks` blocks that have units. So one slice of
    32 bytes proves a block's list, and one of that list a unit and its place.
    """

    index: U63
    units: U63
    blocks: U63
    root: Bytes32


class TauRow(Record):
    """tau of the running epoch as it grows; `stack` and `rest` are a `GrowingTree` of its lists."""

    units: U63
    blocks: U63
    stack: Annotated[list[Bytes32], msgspec.Meta(max_length=64)]
    rest: Annotated[bytes, msgspec.Meta(max_length=CHUNK)]


class EpochRow(Record, kw_only=True):
    """A begun epoch: its beacon, and once closed what it minted over which total weight.

    `tau` is absent while the epoch runs, and in epochs that closed under rules 1.
    """

    beacon: Bytes32
    vrf_proof: bytes
    closed: U63
    weight: U63
    minted: Amount
    earners: U63
    tau: Tau | UnsetType = UNSET


class DueRow(Record):
    """A mark that something ends in an epoch; the id says what."""


class HeadRow(Record):
    """Where the chain stands: last executed height, running epoch and its beacon.

    `network` is the digest inside the network's CID: a state belongs to one genesis.
    """

    network: Bytes32
    height: U63
    epoch: U63
    beacon: Bytes32


class SupplyRow(Record):
    """minted + genesis = held + escrowed + bonded + burnt, after every block."""

    genesis: Amount
    minted: Amount
    held: Amount
    escrowed: Amount
    bonded: Amount
    burnt: Amount

    @property
    def balanced(self) -> bool:
        """Whether the supply equation holds."""
        return self.genesis + self.minted == self.held + self.escrowed + self.bonded + self.burnt
