"""The chain on disk: executes a list of units as the next block, in one SQLite transaction.

Everything here is synchronous and belongs to one thread. The block, its units, state rows, tree
nodes, evidence references and indexes are written together or not at all; opening verifies that the
state's hash is the last block's, so a crash at any point continues from the same hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.chain.block import (
    RULES,
    Block,
    BlockHeader,
    block_id,
    decode_block,
    sign_block,
    verify_block,
)
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.chain.machine import BlockResult, StateMachine
from cybervein_protocol.ledger.state.rows import HEAD, HEAD_ID, HeadRow
from cybervein_protocol.ledger.units.genesis import Genesis, root_units
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.signing import KeyPair

from cybervein_supernode.chain.database import open_writer, transaction
from cybervein_supernode.chain.record import record_block
from cybervein_supernode.chain.row_store import RowStore, TypedRows
from cybervein_supernode.chain.tips import Tips

if TYPE_CHECKING:
    import sqlite3

    from multiformats import CID


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block that is on disk, with what executing it gave."""

    block: Block
    units: Sequence[ParsedUnit]
    result: BlockResult


class Chain:
    """The writing side of one chain. Raises StorageError where file and genesis do not fit."""

    def __init__(self, path: Path, genesis: Genesis) -> None:
        self._path = path
        self._genesis = genesis
        self._connection: sqlite3.Connection = open_writer(path)
        self._store = RowStore(self._connection)
        self.rows = TypedRows(self._store)
        self.tips = Tips(root_units(genesis))
        self.machine = self._load()
        self.prev: CID | None = None
        self._verify_head()

    @property
    def head(self) -> HeadRow:
        """Height, open epoch and beacon of the committed state."""
        row = self.rows.find(HEAD, HEAD_ID)
        if row is None:
            raise StorageError(f"{self._path} holds no chain; restore it from an export")
        return row

    def execute(self, units: Sequence[ParsedUnit], key: KeyPair) -> CommittedBlock:
        """Propose, execute, sign and commit the next block. Raises StorageError if not written."""
        head = self.head
        header = BlockHeader(height=head.height + 1, epoch=head.epoch, v=RULES)
        try:
            with transaction(self._connection):
                result = self.machine.finalize_block(header, units)
                block = self._sign(header, units, result, key)
                record_block(self._connection, block, units, result)
                self.machine.commit()
        except BaseException:
            self.machine = self._load()  # what it had in memory is not what is on disk
            raise
        self._advance(block, units)
        return CommittedBlock(block, units, result)

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._connection.close()

    def _load(self) -> StateMachine:
        """The machine over what is committed; a new file is filled from the genesis."""
        with transaction(self._connection):
            return StateMachine(self._genesis, self._store)

    def _sign(
        self,
        header: BlockHeader,
        units: Sequence[ParsedUnit],
        result: BlockResult,
        key: KeyPair,
    ) -> Block:
        block = Block(
            v=header.v,
            network=self.machine.network,
            height=header.height,
            prev=self.prev,
            epoch=header.epoch,
            units=[parsed.id for parsed in units],
            voids=result.voids,
            app_hash=result.app_hash,
            proposer=key.public,
            sig=bytes(64),
        )
        return sign_block(block, key)

    def _advance(self, block: Block, units: Sequence[ParsedUnit]) -> None:
        self.prev = block_id(block)
        self.tips.advance(units)

    def _verify_head(self) -> None:
        """The state must hash to what the last block says."""
        last = self._connection.execute("SELECT bytes FROM block ORDER BY height DESC").fetchone()
        if last is None:
            return
        block = decode_block(last[0])
        verify_block(block)
        if block.network != self.machine.network:
            raise StorageError(
                f"{self._path} is a chain of network {block.network}, expected "
                f"{self.machine.network}; give back its own network.json"
            )
        if block.app_hash != self.machine.app_hash or block.height != self.head.height:
            raise StorageError(
                f"{self._path}: block {block.height} says state {block.app_hash.hex()}, the rows "
                f"at height {self.head.height} give {self.machine.app_hash.hex()}; the file is "
                "damaged: restore it, or replay an export"
            )
        self.prev = block_id(block)
        self.tips.advance(self._recent_units())

    def _recent_units(self) -> list[ParsedUnit]:
        """The newest units, oldest first, from which the tips follow."""
        rows = self._connection.execute(
            "SELECT bytes FROM unit ORDER BY height DESC, position DESC LIMIT 64"
        ).fetchall()
        most = self._genesis.preset.unit_bytes_max
        return [parse_unit(raw, self.machine.network, most) for (raw,) in reversed(rows)]
