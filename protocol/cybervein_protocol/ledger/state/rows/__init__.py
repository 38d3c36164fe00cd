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

from cybervein_protocol.ledger.state.rows.chain import (
    AccountRow,
    DueRow,
    EpochRow,
    HeadRow,
    SupplyRow,
    Tau,
    TauRow,
    UnitRow,
)
from cybervein_protocol.ledger.state.rows.mining import (
    BatchRow,
    MinerRow,
    PlotRow,
)
from cybervein_protocol.ledger.state.rows.storage import (
    DealRow,
    ShardRow,
)
from cybervein_protocol.ledger.state.rows.tables import (
    ACCOUNTS,
    BATCHES,
    DEALS,
    DUES,
    EPOCHS,
    HEAD,
    HEAD_ID,
    MINERS,
    PLOTS,
    ROW_BYTES_MAX,
    SHARDS,
    SUPPLY,
    SUPPLY_ID,
    TABLE_NAMES,
    TAU,
    TAU_ID,
    UNITS,
    Table,
    decode_row,
    due_id,
    epoch_id,
    shard_id,
    table_of,
)

__all__ = [
    "ACCOUNTS",
    "BATCHES",
    "DEALS",
    "DUES",
    "EPOCHS",
    "HEAD",
    "HEAD_ID",
    "MINERS",
    "PLOTS",
    "ROW_BYTES_MAX",
    "SHARDS",
    "SUPPLY",
    "SUPPLY_ID",
    "TABLE_NAMES",
    "TAU",
    "TAU_ID",
    "UNITS",
    "AccountRow",
    "BatchRow",
    "DealRow",
    "DueRow",
    "EpochRow",
    "HeadRow",
    "MinerRow",
    "PlotRow",
    "ShardRow",
    "SupplyRow",
    "Table",
    "Tau",
    "TauRow",
    "UnitRow",
    "decode_row",
    "due_id",
    "epoch_id",
    "shard_id",
    "table_of",
]
