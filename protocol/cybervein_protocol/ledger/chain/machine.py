"""The state machine, in the shape of ABCI: check, prepare, process, finalize, commit, snapshot.

One genesis and one list of blocks give one state, on every machine, every time. What a block did
is known after `finalize_block`; the store changes only in `commit`, in one write, so a process may
die at any moment and execute the block again.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from multiformats import CID

from cybervein_protocol.encoding import Record, cid_root, encode
from cybervein_protocol.errors import ConflictError, CyberVeinError
from cybervein_protocol.ledger.accounts.money import account, check_supply, supply
from cybervein_protocol.ledger.chain import frame
from cybervein_protocol.ledger.chain.block import BlockHeader, EpochBlock, Void
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.chain.execution import (
    Executed,
    Terms,
    enter,
    enter_all,
    execute_all,
)
from cybervein_protocol.ledger.chain.founding import genesis_rows
from cybervein_protocol.ledger.chain.selection import select
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import ROOT, Committed, Overlay, R, StateStore
from cybervein_protocol.ledger.state.rows import (
    TABLE_NAMES,
    HeadRow,
    SupplyRow,
    Table,
)
from cybervein_protocol.ledger.units.events import Event
from cybervein_protocol.ledger.units.genesis import Genesis, network_id
from cybervein_protocol.ledger.units.run import head
from cybervein_protocol.ledger.units.unit import ParsedUnit


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What executing a block gave. `reasons` (void unit → message) is for people, never hashed.

    `closed` is the CyberVein block of the epoch that the block closed, if it closed one.
    """

    app_hash: bytes
    voids: list[Void]
    reasons: dict[CID, str]
    events: list[Event]
    closed: EpochBlock | None
    changed: Mapping[bytes, Record | None]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A finalized block's changes, ready to be written."""

    result: BlockResult
    rows: dict[bytes, bytes | None]
    nodes: dict[bytes, bytes | None]


class StateMachine:
    """One chain's state and its rules. An empty store is filled from the genesis (height 0).

    Raises ConflictError for a store of another network.
    """

    def __init__(self, genesis: Genesis, store: StateStore) -> None:
        self.genesis = genesis
        self.network = network_id(genesis)
        self.preset = genesis.preset
        self.super_nodes = {node.key: node for node in genesis.super_nodes}
        self._terms = Terms(self.network, self.preset, self.super_nodes)
        self._store = store
        self._committed = Committed(store)
        self._pending: _Pending | None = None
        if store.node(ROOT) is None:
            self._found()
        if self.head.network != cid_root(self.network):
            raise ConflictError(
                f"state store: of network {self.head.network.hex()[:16]}, the genesis is "
                f"{cid_root(self.network).hex()[:16]}; use the data directory of this network"
            )

    @property
    def app_hash(self) -> bytes:
        """Root of the committed state."""
        return self._store.node(ROOT) or smt.EMPTY

    @property
    def head(self) -> HeadRow:
        """Committed height, running epoch and its beacon."""
        return head(self._overlay())

    @property
    def supply(self) -> SupplyRow:
        """Committed totals of the supply equation."""
        return supply(self._overlay())

    def get(self, table: Table[R], identity: bytes) -> R | None:
        """A committed row."""
        return self._overlay().get(table, identity)

    def scan(self, table: Table[R], prefix: bytes = b"") -> Iterator[tuple[bytes, R]]:
        """(id, row) of committed rows whose id begins with prefix, ascending."""
        return self._overlay().scan(table, prefix)

    def next_nonce(self, key: bytes) -> int:
        """The nonce that an account's next unit must carry."""
        return account(self._overlay(), key).nonce

    def check_tx(self, raw: bytes, pending: Container[CID] = ()) -> ParsedUnit:
        """The unit, fit for the mempool; `pending` are units that wait there.

        A nonce may run ahead by a block, as earlier units may be pending. Raises a CyberVeinError.
        """
        unit = parse_unit(raw, self.network, self.preset.unit_bytes_max)
        state = self._overlay()
        row = account(state, unit.unit.issuer)
        frame.check_issuer(unit, self.super_nodes)
        frame.check_nonce(row, unit, self.preset.block_units_max)
        frame.check_parents(state, unit, pending)
        frame.check_fee(row, unit, self.head.epoch, self.preset)
        return unit

    def prepare(self, units: Sequence[ParsedUnit]) -> list[ParsedUnit]:
        """The units that can go into the next block, in an order that is accepted.

        Units that cannot go in now are left out; the caller keeps or drops them (a nonce below
        `next_nonce` never comes back).
        """
        state = self._overlay()

        def enters(unit: ParsedUnit) -> bool:
            try:
                enter(state, unit, 0, self._terms)
            except CyberVeinError:
                return False
            return True

        return select(units, enters, self.preset.block_units_max)

    def process(self, header: BlockHeader, units: Sequence[ParsedUnit]) -> None:
        """Raise ConflictError unless a proposed block is acceptable."""
        enter_all(self._overlay(), header, units, self._terms)

    def finalize_block(self, header: BlockHeader, units: Sequence[ParsedUnit]) -> BlockResult:
        """Execute a block on the committed state; nothing is written before `commit`.

        Raises ConflictError for a block that is not acceptable.
        """
        state = self._overlay()
        enter_all(state, header, units, self._terms)
        done = execute_all(state, header, units, self._terms)
        check_supply(self._committed, state.changes)
        self._pending = self._seal(state.changes, done)
        return self._pending.result

    def _seal(self, changes: Mapping[bytes, Record | None], done: Executed) -> _Pending:
        """Encode what really changed and hash it into the tree."""
        changed = {
            key: changes[key]
            for key in sorted(changes)
            if changes[key] != self._committed.find(key)
        }
        rows = {key: None if row is None else encode(row) for key, row in changed.items()}
        tree = smt.update(self.app_hash, rows, self._store.node)
        nodes = tree.nodes()
        nodes[ROOT] = tree.root
        result = BlockResult(
            app_hash=tree.root,
            voids=done.voids,
            reasons=done.reasons,
            events=done.events,
            closed=done.closed,
            changed=changed,
        )
        return _Pending(result, rows, nodes)

    def commit(self) -> bytes:
        """Write the finalized block's changes to the store at once; the app hash.

        Raises ConflictError if no block is finalized.
        """
        if self._pending is None:
            raise ConflictError("commit: no block is finalized; call finalize_block first")
        self._store.write(self._pending.rows, self._pending.nodes)
        self._committed.replace(self._pending.result.changed)
        self._pending = None
        return self.app_hash

    def snapshot(self) -> Iterator[tuple[bytes, bytes]]:
        """Every committed row, ascending by key; `smt.root_of` of them is the app hash."""
        for name in TABLE_NAMES:
            yield from self._store.scan(name + b"/")

    def _overlay(self) -> Overlay:
        return Overlay(self._committed)

    def _found(self) -> None:
        """Fill the store from the genesis."""
        self._pending = self._seal(genesis_rows(self.genesis), Executed())
        self.commit()
