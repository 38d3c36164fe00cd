"""Tables: under which key a row lies, and which record its bytes are."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cybervein_protocol.encoding import Record, decode, encode
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.ledger.state.rows.chain import (
    AccountRow,
    DueRow,
    EpochRow,
    HeadRow,
    SupplyRow,
    TauRow,
    UnitRow,
)
from cybervein_protocol.ledger.state.rows.mining import BatchRow, MinerRow, PlotRow
from cybervein_protocol.ledger.state.rows.storage import DealRow, ShardRow

ROW_BYTES_MAX: Final = 1 << 16
R = TypeVar("R", bound=Record)


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
