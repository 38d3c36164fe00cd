"""The reading side: the ledger's rows as the last block left them, from any thread.

Readers see whole blocks only (WAL) and never hold up the writer. What led there, block by block, is
`history`.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.errors import UnknownError
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
from cybervein_protocol.ledger.units.genesis import Genesis, network_id
from cybervein_protocol.signing import address

from cybervein_supernode.chain.database import Readers
from cybervein_supernode.chain.history import History
from cybervein_supernode.chain.row_store import RowStore, TypedRows


@dataclass(frozen=True, slots=True)
class Shard:
    """A live shard row with its place in its deal."""

    deal: bytes
    segment: int
    index: int
    row: ShardRow


class LedgerView:
    """Typed rows of the committed state; `history` has the blocks behind it."""

    def __init__(self, path: Path, genesis: Genesis) -> None:
        self._path = path
        self._readers = Readers(path)
        self.genesis = genesis
        self.network = network_id(genesis)
        self.preset = genesis.preset
        self.history = History(self._readers, genesis, self.head)

    @property
    def sql(self) -> sqlite3.Connection:
        """This thread's connection."""
        return self._readers.connection

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

    def live_plots(
        self, miner: bytes, after: bytes, limit: int
    ) -> tuple[list[PlotRow], bytes | None]:
        """A miner's next live plots, pending batches too, and the `after` of the following page.

        A row that a block takes away in this moment leaves a gap; it does not end the list.
        """
        query = "SELECT mu FROM plot_at WHERE miner = ? AND mu > ? ORDER BY mu LIMIT ?"
        mus = [mu for (mu,) in self.sql.execute(query, (miner, after, limit))]
        rows = [row for mu in mus if (row := self.rows.find(PLOTS, mu)) is not None]
        return rows, mus[-1] if len(mus) == limit else None

    def owed_shards(
        self, miner: bytes, after: bytes, limit: int
    ) -> tuple[list[Shard], bytes | None]:
        """The next shards that a miner must hold, and the `after`, as `live_plots`."""
        query = "SELECT key FROM shard_at WHERE miner = ? AND key > ? ORDER BY key LIMIT ?"
        keys = [key for (key,) in self.sql.execute(query, (miner, after, limit))]
        rows = [shard for key in keys if (shard := self.shard(key)) is not None]
        return rows, keys[-1] if len(keys) == limit else None

    def shard(self, identity: bytes) -> Shard | None:
        """A shard row by its id, None where its deal is over."""
        row = self.rows.find(SHARDS, identity)
        return None if row is None else _shard(identity, row)

    def shards_of_root(self, root: bytes) -> list[Shard]:
        """Where a shard's root lies; usually one place."""
        return self._shards("SELECT key FROM shard_at WHERE root = ? ORDER BY key", root)

    def deals_of(self, owner: bytes | None, limit: int) -> list[tuple[bytes, DealRow]]:
        """The first (deal, row) of an owner by digest, or of everybody, owner by owner."""
        if owner is None:
            query = "SELECT deal FROM deal_of ORDER BY owner, deal LIMIT ?"
            found = self.sql.execute(query, (limit,))
        else:
            query = "SELECT deal FROM deal_of WHERE owner = ? ORDER BY deal LIMIT ?"
            found = self.sql.execute(query, (owner, limit))
        ids = [deal for (deal,) in found]
        return [(deal, row) for deal in ids if (row := self.rows.find(DEALS, deal)) is not None]

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

    def _shards(self, query: str, value: bytes) -> list[Shard]:
        keys = [key for (key,) in self.sql.execute(query, (value,))]
        found = ((key, self.rows.find(SHARDS, key)) for key in keys)
        return [_shard(key, row) for key, row in found if row is not None]


def _shard(identity: bytes, row: ShardRow) -> Shard:
    """A shard row's id is deal digest ‖ u32be segment ‖ u8 index."""
    return Shard(identity[:32], int.from_bytes(identity[32:36], "big"), identity[36], row)
