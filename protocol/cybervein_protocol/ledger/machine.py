"""The state machine, in the shape of ABCI: check, prepare, process, finalize, commit, snapshot."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from multiformats import CID

from cybervein_protocol.encoding import Record
from cybervein_protocol.ledger.block import BlockHeader, Void
from cybervein_protocol.ledger.events import Event
from cybervein_protocol.ledger.genesis import Genesis
from cybervein_protocol.ledger.state import Store
from cybervein_protocol.ledger.unit import ParsedUnit


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What executing a block gave. `reasons` (void unit → message) is for people, never hashed."""

    app_hash: bytes
    voids: list[Void]
    reasons: dict[CID, str]
    events: list[Event]
    changed: Mapping[bytes, Record | None]


class StateMachine:
    """One chain's state and its rules. A new store is filled from the genesis (height 0)."""

    def __init__(self, genesis: Genesis, store: Store) -> None:
        raise NotImplementedError

    @property
    def network(self) -> CID:
        """The network's identifier."""
        raise NotImplementedError

    @property
    def app_hash(self) -> bytes:
        """Root of the committed state."""
        raise NotImplementedError

    def check_tx(self, raw: bytes, pending: Container[CID] = ()) -> ParsedUnit:
        """The unit, fit for the mempool; `pending` are units waiting there. Raises an error."""
        raise NotImplementedError

    def prepare(self, units: Sequence[ParsedUnit]) -> list[ParsedUnit]:
        """The units that can go into the next block, in an order that is accepted."""
        raise NotImplementedError

    def process(self, header: BlockHeader, units: Sequence[ParsedUnit]) -> None:
        """Raise ConflictError unless a proposed block is acceptable."""
        raise NotImplementedError

    def finalize_block(self, header: BlockHeader, units: Sequence[ParsedUnit]) -> BlockResult:
        """Execute a block on the committed state; nothing is written before `commit`."""
        raise NotImplementedError

    def commit(self) -> bytes:
        """Write the finalized block's changes to the store at once; the app hash."""
        raise NotImplementedError

    def snapshot(self) -> Iterator[tuple[bytes, bytes]]:
        """Every committed row, ascending by key."""
        raise NotImplementedError
