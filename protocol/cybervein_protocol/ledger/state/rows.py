"""State rows: what the ledger remembers, and under which key.

A row's key is `table ‖ "/" ‖ id`; its value is the canonical encoding of the table's record. Ids
are raw bytes: account, miner and plot rows by key or mu, unit, batch and deal rows by the 32-byte
digest inside their CID.

| table | id | record |
| --- | --- | --- |
| `acct` | public key | AccountRow |
| `miner` | public key | MinerRow |
| `plot` | mu | PlotRow |
| `batch` | digest of the plot.batch unit | BatchRow |
| `deal` | digest of the deal.open unit | DealRow |
| `shard` | deal ‖ u32be segment ‖ u8 index | ShardRow |
| `epoch` | u64be index | EpochRow |
| `unit` | digest of the unit's CID | UnitRow |
| `due` | u64be epoch ‖ `b` or `d` ‖ batch or deal | DueRow |
| `meta` | `head`, `supply`, `tau` | HeadRow, SupplyRow, TauRow |
"""

from dataclasses import dataclass
from typing import Annotated, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from cybervein_protocol.encoding import U8, U63, Amount, Bytes32, Record, decode, encode
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.names import Veins
from cybervein_protocol.tree.shape import CHUNK

ROW_BYTES_MAX: Final = 1 << 16
R = TypeVar("R", bound=Record)
Label = Annotated[str, msgspec.Meta(max_length=64)]


class AccountRow(Record, kw_only=True):
    """A balance; `nonce` is the next unit's; `free_used` counts fee-free units of `free_epoch`."""

    balance: Amount = Veins(0)
    nonce: U63 = 0
    free_epoch: U63 = 0
    free_used: U63 = 0


class MinerRow(Record, kw_only=True):
    """A miner: plots by state, bond, what it holds, its measurements and its record.

    `plots_pending` wait for a verdict, `plots_passed` count from the next beacon, `plots_active`
    count now. `acc` is veins paid per held KiB since genesis. `space` has one estimate per closed
    epoch, oldest first, at most the preset's window; `space_now` is this epoch's, if
    `space_epoch` is this epoch + 1. `bandwidth` is the slow average in bytes per second, None
    before the first measurement. `audit` is the last real outcome; it counts for payment in the
    epoch before `audit_epoch`. Epoch marks are epoch + 1, 0 meaning never. `draining` is absent
    unless the miner asked to be relieved: rows written before there was a drain stay as they are.
    """

    vrf: Bytes32
    payout: Bytes32
    url: str
    group: Label
    owner: Label
    registered: U63
    plots_pending: U63 = 0
    plots_passed: U63 = 0
    plots_active: U63 = 0
    bonded: Amount = Veins(0)
    held_kib: U63 = 0
    held_shards: U63 = 0
    acc: U63 = 0
    space: list[U63] = msgspec.field(default_factory=list)
    space_now: U63 = 0
    space_epoch: U63 = 0
    bandwidth: U63 | None = None
    bandwidth_epoch: U63 = 0
    audit: Literal["passed", "wrong", "timeout", ""] = ""
    audit_epoch: U63 = 0
    penalty_epoch: U63 = 0
    audits_passed: U63 = 0
    audits_wrong: U63 = 0
    audits_timeout: U63 = 0
    audits_verifier: U63 = 0
    chunks_challenged: U63 = 0
    chunks_good: U63 = 0
    proofs: U63 = 0
    rewards: Amount = Veins(0)
    fees: Amount = Veins(0)
    penalties: Amount = Veins(0)
    draining: Literal[True] | UnsetType = UNSET

    @property
    def drains(self) -> bool:
        """Whether nothing new is placed here and super nodes move away what it holds."""
        return self.draining is True

    @property
    def plots_live(self) -> int:
        """Plots under bond: pending, passed and active."""
        return self.plots_pending + self.plots_passed + self.plots_active

    @property
    def domain(self) -> tuple[str, str]:
        """The failure domain: group and owner."""
        return (self.group, self.owner)


class PlotRow(Record):
    """One live plot: its miner and batch, index and commitments."""

    miner: Bytes32
    batch: Bytes32
    index: U63
    kappa: Bytes32
    gamma: Bytes32


class BatchRow(Record):
    """A batch: `pending` since `registered`, then `active` from epoch `counts_from`, or `void`.

    `plots` are the indices it came with (mu follows from miner and index); `live` of them are
    neither retired nor void.
    """

    miner: Bytes32
    registered: U63
    plots: Annotated[list[U63], msgspec.Meta(max_length=4096)]
    live: U63
    state: Literal["pending", "active", "void"]
    counts_from: U63
    reason: Label


class DealRow(Record):
    """A deal. `expires`: epoch at whose beginning it ends (an open one: is refunded).

    `spent` is what is settled; what live shards have cost since is in the miners' accumulators.
    """

    owner: Bytes32
    state: Literal["open", "active", "ended"]
    size: U63
    segments: U63
    k: U8
    n: U8
    epochs: U63
    escrow: Amount
    spent: Amount
    refunded: Amount
    kib: U63
    lost: U63
    opened: U63
    committed: U63
    expires: U63


class ShardRow(Record):
    """Who holds a shard, since which accumulator value; `lost` ones are not paid."""

    root: Bytes32
    miner: Bytes32
    size: U63
    acc: U63
    since: U63
    lost: bool

    @property
    def kib(self) -> int:
        """KiB that are paid for: size rounded up."""
        return -(-self.size // 1024)


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


class UnitRow(Record):
    """A final unit: where it is. Known units may be cited as parents."""

    height: U63
    index: U63


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


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """A named table of one record type."""

    name: bytes
    row: type[R]

    def key(self, identity: bytes) -> bytes:
        """The row key of an id."""
        return self.name + b"/" + identity

    def decode(self, data: bytes) -> R:
        """The record of a row's bytes."""
        return decode(data, self.row, f"{self.name.decode()} row", ROW_BYTES_MAX)


ACCOUNTS: Final = Table(b"acct", AccountRow)
MINERS: Final = Table(b"miner", MinerRow)
PLOTS: Final = Table(b"plot", PlotRow)
BATCHES: Final = Table(b"batch", BatchRow)
DEALS: Final = Table(b"deal", DealRow)
SHARDS: Final = Table(b"shard", ShardRow)
EPOCHS: Final = Table(b"epoch", EpochRow)
UNITS: Final = Table(b"unit", UnitRow)
DUES: Final = Table(b"due", DueRow)
HEAD: Final = Table(b"meta", HeadRow)
SUPPLY: Final = Table(b"meta", SupplyRow)
TAU: Final = Table(b"meta", TauRow)

HEAD_ID: Final = b"head"
SUPPLY_ID: Final = b"supply"
TAU_ID: Final = b"tau"


def shard_id(deal: bytes, segment: int, index: int) -> bytes:
    """Id of a shard row: deal digest ‖ u32be segment ‖ u8 index."""
    return deal + segment.to_bytes(4, "big") + bytes((index,))


def epoch_id(epoch: int) -> bytes:
    """Id of an epoch row: u64be, so that rows sort by epoch."""
    return epoch.to_bytes(8, "big")


def due_id(epoch: int, mark: bytes, identity: bytes) -> bytes:
    """Id of a mark that a batch (`b`) or deal (`d`) ends when `epoch` begins."""
    return epoch_id(epoch) + mark + identity


def decode_row(key: bytes, data: bytes) -> Record:
    """The typed record of any row, by its key: for rows that come from elsewhere.

    Raises MalformedError also if a field that has a default is left out: one row, one encoding.
    """
    row = table_of(key).decode(data)
    if encode(row) != data:
        raise MalformedError(f"row {key[:48]!r}: fields are missing; expected all that are written")
    return row


def table_of(key: bytes) -> Table[Record]:
    """The table a row key belongs to. Raises MalformedError."""
    name, _, identity = key.partition(b"/")
    table = _META.get(identity) if name == SUPPLY.name else _TABLES.get(name)
    if table is None:
        raise MalformedError(f"row {key[:48]!r}: expected a key of {', '.join(map(repr, _TABLES))}")
    return table


_META: Final[dict[bytes, Table[Record]]] = {  # tables are read-only
    HEAD_ID: HEAD,  # type: ignore[dict-item]
    SUPPLY_ID: SUPPLY,  # type: ignore[dict-item]
    TAU_ID: TAU,  # type: ignore[dict-item]
}
_TABLES: Final[dict[bytes, Table[Record]]] = {
    table.name: table  # type: ignore[misc] # as above
    for table in (ACCOUNTS, MINERS, PLOTS, BATCHES, DEALS, SHARDS, EPOCHS, UNITS, DUES)
}

TABLE_NAMES: Final = tuple(sorted({*_TABLES, SUPPLY.name}))
"""Every table, in the order of its row keys."""
