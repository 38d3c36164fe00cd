"""Repeating a chain: the same genesis, blocks and units give the same app hashes, or an error.

What replay proves again: every signature of units and blocks, receipts and verifications, beacons,
every balance and every app hash. What it takes on a super node's word, because the evidence is off
the ledger: space, bandwidth, audit outcomes, verdicts and lost shards.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from multiformats import CID

from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ProofError, UnknownError
from cybervein_protocol.ledger.chain.block import Block, block_id, header_of, verify_block
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.chain.machine import BlockResult, StateMachine
from cybervein_protocol.ledger.state.overlay import MemoryStore, StateStore
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.ledger.units.unit import ParsedUnit


@dataclass(frozen=True, slots=True)
class Replayed:
    """A block that was executed again, its units and what they did."""

    block: Block
    units: list[ParsedUnit]
    result: BlockResult


def replay(genesis: Genesis, blocks: Iterable[Block], units: Mapping[CID, bytes]) -> list[bytes]:
    """The app hash after each block. Raises as `replay_blocks`."""
    return [step.result.app_hash for step in replay_blocks(genesis, blocks, units)]


def replay_blocks(
    genesis: Genesis,
    blocks: Iterable[Block],
    units: Mapping[CID, bytes],
    store: StateStore | None = None,
) -> Iterator[Replayed]:
    """Execute blocks from height 1 on, one by one, and check each against what it claims.

    Raises ProofError (app hash, voids, order), SignatureError, UnknownError (a unit is missing) or
    ConflictError (a block that is not acceptable).
    """
    machine = StateMachine(genesis, store or MemoryStore())
    previous: CID | None = None
    for block in blocks:
        _check_block(machine, block, previous)
        parsed = [_unit(machine, units, identity) for identity in block.units]
        result = machine.finalize_block(header_of(block), parsed)
        _check_result(block, result)
        machine.commit()
        previous = block_id(block)
        yield Replayed(block, parsed, result)


def _check_block(machine: StateMachine, block: Block, previous: CID | None) -> None:
    what = f"block {block.height}"
    if block.network != machine.network:
        raise ProofError(f"{what}: of network {cid_text(block.network)}, expected another")
    if block.prev != previous:
        raise ProofError(f"{what}: does not follow the block before it; the list has a gap")
    if block.proposer not in machine.super_nodes:
        raise ProofError(f"{what}: proposed by {block.proposer.hex()[:16]}, who is no super node")
    verify_block(block)


def _unit(machine: StateMachine, units: Mapping[CID, bytes], identity: CID) -> ParsedUnit:
    raw = units.get(identity)
    if raw is None:
        raise UnknownError(f"unit {cid_text(identity)}: not in the export; export it again")
    unit = parse_unit(raw, machine.network, machine.preset.unit_bytes_max)
    if unit.id != identity:
        raise ProofError(f"unit {cid_text(identity)}: its bytes are {cid_text(unit.id)}")
    return unit


def _check_result(block: Block, result: BlockResult) -> None:
    what = f"block {block.height}"
    if block.voids != result.voids:
        raise ProofError(
            f"{what}: lists {len(block.voids)} void units, executing gives {len(result.voids)}"
        )
    if block.app_hash != result.app_hash:
        raise ProofError(
            f"{what}: app hash {block.app_hash.hex()[:16]}, executing gives "
            f"{result.app_hash.hex()[:16]}"
        )
