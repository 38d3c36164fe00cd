"""What executing a unit may see and touch: one value that every rule takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from multiformats import CID

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnknownError
from cybervein_protocol.ledger.state.overlay import Overlay, R
from cybervein_protocol.ledger.state.rows import (
    HEAD,
    HEAD_ID,
    MINERS,
    HeadRow,
    MinerRow,
    Table,
)
from cybervein_protocol.ledger.units.events import Event
from cybervein_protocol.ledger.units.genesis import SuperNode
from cybervein_protocol.ledger.units.unit import ParsedUnit, is_node_cid
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address


@dataclass(slots=True)
class Run:
    """One unit on its way through the rules; `state` is its own overlay."""

    network: CID
    preset: Preset
    super_nodes: Mapping[bytes, SuperNode]
    epoch: int
    state: Overlay
    unit: ParsedUnit
    events: list[Event] = field(default_factory=list)

    @property
    def issuer(self) -> bytes:
        """The unit's signer."""
        return self.unit.unit.issuer

    @property
    def id(self) -> bytes:
        """The digest of the unit's CID: id of the batch or deal that it opens."""
        return cid_root(self.unit.id)

    def check_epoch(self, epoch: int) -> None:
        """Raise ConflictError unless a result is of the running epoch."""
        if epoch != self.epoch:
            raise ConflictError(
                f"{self.unit.unit.kind}: of epoch {epoch}, the running epoch is {self.epoch}"
            )


def head(state: Overlay) -> HeadRow:
    """Where the chain stands."""
    row = state.get(HEAD, HEAD_ID)
    if row is None:
        raise CyberVeinError("state has no head row; it was never filled from a genesis")
    return row


def row_id(cid: CID, what: str) -> bytes:
    """The row id of a batch or deal named by CID. Raises UnknownError for a foreign CID."""
    if not is_node_cid(cid):
        raise UnknownError(f"{what} {cid}: not a unit's CID; name it by its opening unit")
    return cid_root(cid)


def known(state: Overlay, table: Table[R], cid: CID, what: str) -> tuple[bytes, R]:
    """(id, row) of a batch or deal named by CID. Raises UnknownError."""
    identity = row_id(cid, what)
    row = state.get(table, identity)
    if row is None:
        raise UnknownError(f"{what} {identity.hex()[:16]}: not known here; check the CID")
    return identity, row


def known_miner(state: Overlay, key: bytes) -> MinerRow:
    """A registered miner. Raises UnknownError."""
    row = state.get(MINERS, key)
    if row is None:
        raise UnknownError(f"miner {address(key)}: not registered; send miner.register first")
    return row
