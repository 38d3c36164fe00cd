"""What happened: blocks, their units, and what closing each epoch settled. None of it ever changes.

Every read is one row by its key, so that a long chain costs a reader no more than a short one.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cybervein_protocol.encoding import decode
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.chain.block import Block, decode_block
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.state.rows import HeadRow
from cybervein_protocol.ledger.storage.bodies import DealCommit
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.ledger.units.genesis import Genesis, network_id

from cybervein_supernode.chain.database import Readers

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


class History:
    """The committed chain, block by block, from any thread."""

    def __init__(self, readers: Readers, genesis: Genesis, head: Callable[[], HeadRow]) -> None:
        self._readers = readers
        self._head = head
        self._network = network_id(genesis)
        self._unit_bytes_max = genesis.preset.unit_bytes_max
        self._guard = threading.Lock()
        self._contributions: dict[int, dict[bytes, Contribution]] = {}

    def block(self, height: int) -> Block:
        """An engine block. Raises UnknownError."""
        return decode_block(self.block_bytes(height))

    def block_bytes(self, height: int) -> bytes:
        """Its encoding. Raises UnknownError."""
        query = "SELECT bytes FROM block WHERE height = ?"
        row = self._readers.connection.execute(query, (height,)).fetchone()
        if row is None:
            raise UnknownError(
                f"block {height} is not known; the chain is at {self._head().height}"
            )
        data: bytes = row[0]
        return data

    def unit(self, digest: bytes) -> UnitPlace | None:
        """Where a unit is final, or None."""
        row = self._readers.connection.execute(
            "SELECT height, position, kind, issuer, code, reason, bytes FROM unit WHERE id = ?",
            (digest,),
        ).fetchone()
        return None if row is None else UnitPlace(*row)

    def units_of(self, height: int) -> Iterator[tuple[bytes, UnitPlace]]:
        """(digest, unit) of a block, in order."""
        rows = self._readers.connection.execute(
            "SELECT id, height, position, kind, issuer, code, reason, bytes FROM unit "
            "WHERE height = ? ORDER BY position",
            (height,),
        )
        for digest, *place in rows.fetchall():
            yield digest, UnitPlace(*place)

    def commit_of(self, deal: bytes) -> DealCommit:
        """The `deal.commit` of a deal. Raises UnknownError."""
        query = (
            "SELECT unit.bytes FROM commit_of JOIN unit ON unit.id = commit_of.unit WHERE deal = ?"
        )
        row = self._readers.connection.execute(query, (deal,)).fetchone()
        if row is None:
            raise UnknownError(f"deal {deal.hex()[:16]}… is not committed")
        body = parse_unit(row[0], self._network, self._unit_bytes_max).body
        assert isinstance(body, DealCommit)  # noqa: S101 -- the index holds nothing else
        return body

    def closed_epoch(self, epoch: int) -> EpochClosed:
        """What closing an epoch settled. Raises UnknownError for one that is open or to come."""
        query = "SELECT closed FROM epoch_block WHERE number = ?"
        row = self._readers.connection.execute(query, (epoch,)).fetchone()
        if row is None:
            raise UnknownError(f"epoch {epoch} is not closed; epoch {self._head().epoch} is open")
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
