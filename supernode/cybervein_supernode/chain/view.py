"""The reading side: what is committed, on connections of its own, one per thread.

Readers see whole blocks only (WAL) and never hold up the writer.
"""

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.encoding import decode
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.chain.block import Block, decode_block
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.state.rows import (
    BATCHES,
    DEALS,
    HEAD,
    HEAD_ID,
    MINERS,
    PLOTS,
    SHARDS,
    BatchRow,
    DealRow,
    HeadRow,
    MinerRow,
    PlotRow,
    ShardRow,
)
from cybervein_protocol.ledger.storage.bodies import DealCommit
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.ledger.units.genesis import Genesis, network_id
from cybervein_protocol.signing import address

from cybervein_supernode.chain.database import open_reader
from cybervein_supernode.chain.row_store import RowStore, TypedRows

_EVENT_BYTES_MAX = 1 << 26
_EPOCHS_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """A unit in the chain."""

    height: int
    position: int
    kind: str
    issuer: bytes
    code: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Shard:
    """A live shard row with its place in its deal."""

    deal: bytes
    segment: int
    index: int
    row: ShardRow


class LedgerView:
    """Typed reading of the committed chain, from any thread."""

    def __init__(self, path: Path, genesis: Genesis) -> None:
        self._path = path
        self.genesis = genesis
        self.network = network_id(genesis)
        self.preset = genesis.preset
        self._local = threading.local()
        self._guard = threading.Lock()
        self._contributions: dict[int, dict[bytes, Contribution]] = {}  # closed epochs never change

    @property
    def sql(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
        return connection

    @property
    def rows(self) -> TypedRows:
        """Typed state rows."""
        return TypedRows(RowStore(self.sql))

    def head(self) -> HeadRow:
        """Height, open epoch, beacon."""
        row = self.rows.find(HEAD, HEAD_ID)
        if row is None:
            raise UnknownError(f"{self._path}: no chain yet")
        return row

    def miner(self, key: bytes) -> MinerRow:
        """A registered miner. Raises UnknownError."""
        row = self.rows.find(MINERS, key)
        if row is None:
            raise UnknownError(f"miner {address(key)} is not registered; send miner.register")
        return row

    def miners(self) -> list[tuple[bytes, MinerRow]]:
        """All miners by key."""
        return list(self.rows.scan(MINERS))

    def deal(self, deal: bytes) -> DealRow:
        """A deal by the digest of its `deal.open`. Raises UnknownError."""
        row = self.rows.find(DEALS, deal)
        if row is None:
            raise UnknownError(f"deal {deal.hex()[:16]}… is not known; is its deal.open final?")
        return row

    def shards_of_deal(self, deal: bytes) -> list[Shard]:
        """All shard rows of a deal, lost ones too, by segment and index."""
        return [_shard(identity, row) for identity, row in self.rows.scan(SHARDS, deal)]

    def shards_of_miner(self, key: bytes) -> list[Shard]:
        """What a miner must hold now."""
        return self._shards("SELECT key FROM shard_at WHERE miner = ? ORDER BY key", key)

    def shard_ids_of_miner(self, key: bytes) -> list[bytes]:
        """Ids of the shard rows at a miner: cheap, even where it holds very many."""
        query = "SELECT key FROM shard_at WHERE miner = ? ORDER BY key"
        return [identity for (identity,) in self.sql.execute(query, (key,))]

    def shard(self, identity: bytes) -> Shard | None:
        """A shard row by its id, None where its deal is over."""
        row = self.rows.find(SHARDS, identity)
        return None if row is None else _shard(identity, row)

    def shards_of_root(self, root: bytes) -> list[Shard]:
        """Where a shard's root lies; usually one place."""
        return self._shards("SELECT key FROM shard_at WHERE root = ? ORDER BY key", root)

    def deals_of(self, owner: bytes | None, limit: int) -> list[tuple[bytes, DealRow]]:
        """(deal, row) of an owner, or of everybody."""
        query = "SELECT deal FROM deal_of WHERE owner = ?1 OR ?1 IS NULL LIMIT ?2"
        ids = [deal for (deal,) in self.sql.execute(query, (owner, limit))]
        return [(deal, row) for deal in ids if (row := self.rows.find(DEALS, deal)) is not None]

    def unit(self, digest: bytes) -> UnitPlace | None:
        """Where a unit is final, or None."""
        row = self.sql.execute(
            "SELECT height, position, kind, issuer, code, reason, bytes FROM unit WHERE id = ?",
            (digest,),
        ).fetchone()
        return None if row is None else UnitPlace(*row)

    def block(self, height: int) -> Block:
        """An engine block. Raises UnknownError."""
        return decode_block(self.block_bytes(height))

    def block_bytes(self, height: int) -> bytes:
        """Its encoding. Raises UnknownError."""
        query = "SELECT bytes FROM block WHERE height = ?"
        row = self.sql.execute(query, (height,)).fetchone()
        if row is None:
            raise UnknownError(f"block {height} is not known; the chain is at {self.head().height}")
        data: bytes = row[0]
        return data

    def closed_epoch(self, epoch: int) -> EpochClosed:
        """What closing an epoch settled. Raises UnknownError for one that is open or to come."""
        query = "SELECT closed FROM epoch_block WHERE number = ?"
        row = self.sql.execute(query, (epoch,)).fetchone()
        if row is None:
            raise UnknownError(f"epoch {epoch} is not closed; epoch {self.head().epoch} is open")
        return decode(row[0], EpochClosed, "closed epoch", _EVENT_BYTES_MAX)

    def contribution(self, epoch: int, miner: bytes) -> Contribution | None:
        """What a closed epoch settled for one miner. Raises as closed_epoch."""
        with self._guard:
            found = self._contributions.get(epoch)
        if found is None:
            found = {entry.miner: entry for entry in self.closed_epoch(epoch).contributions}
            with self._guard:
                self._contributions[epoch] = found
                if len(self._contributions) > _EPOCHS_REMEMBERED:
                    del self._contributions[min(self._contributions)]
        return found.get(miner)

    def units_of(self, height: int) -> Iterator[tuple[bytes, UnitPlace]]:
        """(digest, unit) of a block, in order."""
        rows = self.sql.execute(
            "SELECT id, height, position, kind, issuer, code, reason, bytes FROM unit "
            "WHERE height = ? ORDER BY position",
            (height,),
        )
        for digest, *place in rows.fetchall():
            yield digest, UnitPlace(*place)

    def batches_of(self, miner: bytes) -> list[tuple[bytes, BatchRow]]:
        """(digest, row) of a miner's plot batches."""
        query = "SELECT batch FROM batch_of WHERE miner = ? ORDER BY batch"
        ids = [batch for (batch,) in self.sql.execute(query, (miner,))]
        return [(b, row) for b in ids if (row := self.rows.find(BATCHES, b)) is not None]

    def plots_of(self, miner: bytes) -> list[PlotRow]:
        """A miner's active plots: their batch passed before this epoch."""
        query = "SELECT mu FROM plot_at WHERE miner = ? ORDER BY mu"
        mus = [mu for (mu,) in self.sql.execute(query, (miner,))]
        return [plot for mu in mus if (plot := self._active(mu)) is not None]

    def active_plot(self, plot_id: bytes) -> PlotRow | None:
        """The plot of that id if it counts in the open epoch."""
        query = "SELECT mu FROM plot_at WHERE plot_id = ?"
        row = self.sql.execute(query, (plot_id,)).fetchone()
        return None if row is None else self._active(row[0])

    def _active(self, mu: bytes) -> PlotRow | None:
        plot = self.rows.find(PLOTS, mu)
        batch = None if plot is None else self.rows.find(BATCHES, plot.batch)
        if batch is None or batch.state != "active" or batch.counts_from > self.head().epoch:
            return None
        return plot

    def commit_of(self, deal: bytes) -> DealCommit:
        """The `deal.commit` of a deal. Raises UnknownError."""
        query = (
            "SELECT unit.bytes FROM commit_of JOIN unit ON unit.id = commit_of.unit WHERE deal = ?"
        )
        row = self.sql.execute(query, (deal,)).fetchone()
        if row is None:
            raise UnknownError(f"deal {deal.hex()[:16]}… is not committed")
        body = parse_unit(row[0], self.network, self.preset.unit_bytes_max).body
        assert isinstance(body, DealCommit)  # noqa: S101 -- the index holds nothing else
        return body

    def _shards(self, query: str, value: bytes) -> list[Shard]:
        keys = [key for (key,) in self.sql.execute(query, (value,))]
        found = ((key, self.rows.find(SHARDS, key)) for key in keys)
        return [_shard(key, row) for key, row in found if row is not None]


def _shard(identity: bytes, row: ShardRow) -> Shard:
    """A shard row's id is deal digest ‖ u32be segment ‖ u8 index."""
    return Shard(identity[:32], int.from_bytes(identity[32:36], "big"), identity[36], row)
