"""What a block does: its frames are checked and charged, then its bodies executed, in one overlay.

Nothing here is written anywhere: the state machine hashes the overlay's changes and commits them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace
from multiformats import CID

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError, CyberVeinError
from cybervein_protocol.ledger.chain import frame
from cybervein_protocol.ledger.chain.block import (
    TAU_RULES,
    UNITS_BYTES_MAX,
    BlockHeader,
    EpochBlock,
    Void,
    epoch_block,
)
from cybervein_protocol.ledger.chain.kinds import execute
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.epochs.tau import grow_tau
from cybervein_protocol.ledger.state.overlay import Overlay
from cybervein_protocol.ledger.state.rows import EPOCHS, HEAD, HEAD_ID, TAU, TAU_ID, epoch_id
from cybervein_protocol.ledger.units.events import Event
from cybervein_protocol.ledger.units.genesis import SuperNode
from cybervein_protocol.ledger.units.run import Run, head
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.presets import Preset


@dataclass(frozen=True, slots=True)
class Terms:
    """What the genesis fixed for every block."""

    network: CID
    preset: Preset
    super_nodes: Mapping[bytes, SuperNode]


@dataclass(slots=True)
class Executed:
    """What the bodies did. `reasons` (void unit → message) is for people, never hashed.

    `closed` is the CyberVein block of the epoch that the block closed, if it closed one.
    """

    voids: list[Void] = field(default_factory=list)
    reasons: dict[CID, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    closed: EpochBlock | None = None


def enter(state: Overlay, unit: ParsedUnit, index: int, terms: Terms) -> None:
    """Check, charge and remember a block's next unit. Raises a CyberVeinError."""
    running = head(state)
    frame.check_issuer(unit, terms.super_nodes)
    frame.enter(state, unit, running.epoch, terms.preset)
    frame.remember(state, unit, running.height + 1, index)


def enter_all(
    state: Overlay, header: BlockHeader, units: Sequence[ParsedUnit], terms: Terms
) -> None:
    """Charge all frames of a block. Raises ConflictError unless the block is acceptable."""
    _check_place(state, header)
    _check_size(header, units, terms.preset)
    for index, unit in enumerate(units):
        try:
            enter(state, unit, index, terms)
        except CyberVeinError as error:
            raise ConflictError(
                f"block {header.height}: unit {index} cannot be in it: {error}"
            ) from error


def execute_all(
    state: Overlay, header: BlockHeader, units: Sequence[ParsedUnit], terms: Terms
) -> Executed:
    """Execute a block whose frames are charged; a body that fails leaves its unit void."""
    done = Executed()
    if header.v >= TAU_RULES:
        grow_tau(state, [cid_root(unit.id) for unit in units])
    for unit in units:
        try:
            done.events.extend(_execute(state, unit, header.epoch, terms))
        except CyberVeinError as error:
            done.voids.append(Void(unit=unit.id, code=error.code))
            done.reasons[unit.id] = str(error)
    if header.v >= TAU_RULES and head(state).epoch > header.epoch:
        closed = state.get(EPOCHS, epoch_id(header.epoch))
        done.closed = None if closed is None else epoch_block(closed)
    state.put(HEAD, HEAD_ID, replace(head(state), height=header.height))
    return done


def _execute(state: Overlay, unit: ParsedUnit, epoch: int, terms: Terms) -> list[Event]:
    """Apply one body in an overlay of its own; its events."""
    run = Run(
        network=terms.network,
        preset=terms.preset,
        super_nodes=terms.super_nodes,
        epoch=epoch,
        state=Overlay(state),
        unit=unit,
    )
    execute(run, unit.body)
    state.merge(run.state)
    return run.events


def _check_place(state: Overlay, header: BlockHeader) -> None:
    at = head(state)
    if (header.height, header.epoch) != (at.height + 1, at.epoch):
        raise ConflictError(
            f"block {header.height} of epoch {header.epoch}: expected {at.height + 1} of "
            f"epoch {at.epoch}"
        )
    if header.v < TAU_RULES and state.get(TAU, TAU_ID) is not None:
        raise ConflictError(
            f"block {header.height}: of rules {header.v}, the chain is at rules {TAU_RULES} "
            "already; propose it with the current release"
        )


def _check_size(header: BlockHeader, units: Sequence[ParsedUnit], preset: Preset) -> None:
    if len(units) > preset.block_units_max:
        raise ConflictError(
            f"block {header.height}: {len(units)} units, at most {preset.block_units_max}"
        )
    total = sum(unit.size for unit in units)
    if total > UNITS_BYTES_MAX:
        raise ConflictError(
            f"block {header.height}: units of {total} bytes, at most {UNITS_BYTES_MAX}"
        )
    if any(isinstance(unit.body, EpochClose) for unit in units[:-1]):
        raise ConflictError(f"block {header.height}: epoch.close is not its last unit")
