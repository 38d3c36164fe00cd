"""What a block writes besides the state rows: itself, its units, evidence and indexes."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from cybervein_protocol.encoding import Record, cid_root, encode
from cybervein_protocol.ledger.chain.block import Block, EpochBlock
from cybervein_protocol.ledger.chain.machine import BlockResult
from cybervein_protocol.ledger.mining.bodies import PlotVerdict
from cybervein_protocol.ledger.mining.measurements import AuditResult, BandwidthResult, SpaceResult
from cybervein_protocol.ledger.state.rows import (
    BATCHES,
    DEALS,
    PLOTS,
    SHARDS,
    BatchRow,
    DealRow,
    PlotRow,
    ShardRow,
)
from cybervein_protocol.ledger.storage.bodies import DealCommit
from cybervein_protocol.ledger.units.events import EpochClosed
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.space import plot_id

_SHARD_PREFIX = SHARDS.key(b"")
_BATCH_PREFIX = BATCHES.key(b"")
_PLOT_PREFIX = PLOTS.key(b"")
_DEAL_PREFIX = DEALS.key(b"")


def record_block(
    connection: sqlite3.Connection, block: Block, units: Sequence[ParsedUnit], result: BlockResult
) -> None:
    """Insert everything of a block inside the caller's transaction."""
    connection.execute(
        "INSERT INTO block VALUES (?, ?, ?, ?)",
        (block.height, block.epoch, len(units), encode(block)),
    )
    _record_units(connection, block, units, result)
    _record_evidence(connection, units)
    _record_commits(connection, block, units)
    _record_indexes(connection, result.changed)
    for event in result.events:
        if isinstance(event, EpochClosed) and result.closed is not None:
            _record_epoch(connection, block.height, result.closed, event)


def _record_units(
    connection: sqlite3.Connection, block: Block, units: Sequence[ParsedUnit], result: BlockResult
) -> None:
    codes = {void.unit: void.code for void in block.voids}
    rows = [
        (
            cid_root(parsed.id),
            block.height,
            position,
            parsed.unit.kind,
            parsed.unit.issuer,
            codes.get(parsed.id, ""),
            result.reasons.get(parsed.id, ""),
            parsed.raw,
        )
        for position, parsed in enumerate(units)
    ]
    connection.executemany("INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _record_evidence(connection: sqlite3.Connection, units: Sequence[ParsedUnit]) -> None:
    rows = [
        (digest, cid_root(parsed.id), epoch)
        for parsed in units
        for digest, epoch in _evidence(parsed.body)
    ]
    connection.executemany("INSERT OR IGNORE INTO evidence VALUES (?, ?, ?)", rows)


def _evidence(body: Record) -> Iterator[tuple[bytes, int]]:
    """(digest, epoch) of every evidence that a unit names."""
    if isinstance(body, PlotVerdict):
        yield body.evidence, body.epoch
    elif isinstance(body, SpaceResult | BandwidthResult | AuditResult):
        for entry in body.results:
            yield entry.evidence, body.epoch


def _record_commits(
    connection: sqlite3.Connection, block: Block, units: Sequence[ParsedUnit]
) -> None:
    void = {entry.unit for entry in block.voids}
    for parsed in units:
        if isinstance(parsed.body, DealCommit) and parsed.id not in void:
            values = (cid_root(parsed.body.deal), cid_root(parsed.id))
            connection.execute("INSERT INTO commit_of VALUES (?, ?)", values)


def _record_indexes(connection: sqlite3.Connection, changed: Mapping[bytes, Record | None]) -> None:
    """Which miner holds what, and whose deal is which: both follow from the state rows."""
    for key, row in changed.items():
        if key.startswith(_SHARD_PREFIX):
            _index_shard(connection, key[len(_SHARD_PREFIX) :], row)
        elif key.startswith(_PLOT_PREFIX):
            _index_plot(connection, key[len(_PLOT_PREFIX) :], row)
        elif key.startswith(_BATCH_PREFIX) and isinstance(row, BatchRow):
            values = (key[len(_BATCH_PREFIX) :], row.miner)
            connection.execute("INSERT OR REPLACE INTO batch_of VALUES (?, ?)", values)
        elif key.startswith(_DEAL_PREFIX) and isinstance(row, DealRow):
            values = (key[len(_DEAL_PREFIX) :], row.owner)
            connection.execute("INSERT OR REPLACE INTO deal_of VALUES (?, ?)", values)


def _index_shard(connection: sqlite3.Connection, identity: bytes, row: Record | None) -> None:
    if isinstance(row, ShardRow) and not row.lost:
        values = (identity, row.miner, row.root)
        connection.execute("INSERT OR REPLACE INTO shard_at VALUES (?, ?, ?)", values)
    else:
        connection.execute("DELETE FROM shard_at WHERE key = ?", (identity,))


def _index_plot(connection: sqlite3.Connection, mu: bytes, row: Record | None) -> None:
    if isinstance(row, PlotRow):
        values = (plot_id(mu, row.kappa, row.gamma), mu, row.miner)
        connection.execute("INSERT OR REPLACE INTO plot_at VALUES (?, ?, ?)", values)
    else:
        connection.execute("DELETE FROM plot_at WHERE mu = ?", (mu,))


def _record_epoch(
    connection: sqlite3.Connection, height: int, block: EpochBlock, event: EpochClosed
) -> None:
    """The CyberVein block that the machine made of the epoch, and the settlement for views."""
    values = (block.index, height, encode(block), encode(event))
    connection.execute("INSERT INTO epoch_block VALUES (?, ?, ?, ?)", values)
