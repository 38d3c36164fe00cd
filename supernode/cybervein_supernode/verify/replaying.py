"""`chain verify`: execute every block again, from a data directory or from an export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.encoding import cid_root, node_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, MalformedError, ProofError
from cybervein_protocol.ledger.chain.block import Block, decode_block
from cybervein_protocol.ledger.chain.replay import replay_blocks
from cybervein_protocol.ledger.units.events import EpochClosed
from cybervein_protocol.ledger.units.genesis import Genesis, decode_genesis, network_id
from multiformats import CID

from cybervein_supernode.chain.export import AGAIN, NO_EXPORT, read_sections, require_export
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.verify.reproving import Reprover


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that replays to what it claims."""

    network: CID
    height: int
    epochs: int
    units: int
    voids: int
    app_hash: str
    reproved: int
    attested: int


class _UnitsOnDisk(Mapping[CID, bytes]):
    """Units by id, read when asked for."""

    def __init__(self, view: LedgerView) -> None:
        self._view = view

    def __getitem__(self, unit: CID) -> bytes:
        place = self._view.history.unit(cid_root(unit))
        if place is None:
            raise KeyError(unit)
        return place.raw

    def __iter__(self) -> Iterator[CID]:
        return iter(())

    def __len__(self) -> int:
        return 0


def verify_data(view: LedgerView, evidence: Path) -> Verified:
    """Replay the chain of a data directory, judging again whatever evidence is kept there."""
    heights = range(1, view.head().height + 1)
    blocks = (view.history.block(height) for height in heights)
    reprover = Reprover(evidence, view.preset)
    return _replay(view.genesis, blocks, _UnitsOnDisk(view), reprover)


def verify_export(path: Path, network: CID | None) -> Verified:
    """Replay an export. Raises ConflictError if it is of another network than expected."""
    with path.open("rb") as file:
        require_export(file, str(path))
        sections = read_sections(file, str(path))
        genesis = _genesis(next(sections, b""), path)
        if network is not None and network_id(genesis) != network:
            raise ConflictError(f"{path} is of network {network_id(genesis)}, expected {network}")
        units: dict[CID, bytes] = {}
        return _replay(genesis, _blocks(sections, units, str(path)), units)


def _genesis(data: bytes, path: Path) -> Genesis:
    """The first node of an export."""
    if not data:
        raise MalformedError(f"{path} ends behind its header; {AGAIN}")
    try:
        return decode_genesis(data)
    except CyberVeinError as error:
        raise MalformedError(f"{path} {NO_EXPORT}: {error}") from error


def _blocks(sections: Iterator[bytes], units: dict[CID, bytes], what: str) -> Iterator[Block]:
    """Each block, once its own units (and no others) are in `units`."""
    for data in sections:
        block = decode_block(data)
        units.clear()
        for _ in block.units:
            raw = next(sections, None)
            if raw is None:
                raise MalformedError(f"{what} ends inside block {block.height}; {AGAIN}")
            units[node_cid(raw)] = raw
        yield block


def _replay(
    genesis: Genesis,
    blocks: Iterator[Block],
    units: Mapping[CID, bytes],
    reprover: Reprover | None = None,
) -> Verified:
    height = epochs = count = voids = 0
    app_hash = b""
    for step in replay_blocks(genesis, blocks, units):
        if step.block.height != height + 1:
            raise ProofError(f"block {step.block.height} follows block {height}")
        height = step.block.height
        count += len(step.units)
        voids += len(step.block.voids)
        epochs += sum(isinstance(event, EpochClosed) for event in step.result.events)
        app_hash = step.result.app_hash
        if reprover is not None:
            reprover.follow(step)
    reproved = len(reprover.reproved) if reprover else 0
    return Verified(
        network=network_id(genesis),
        height=height,
        epochs=epochs,
        units=count,
        voids=voids,
        app_hash=app_hash.hex(),
        reproved=reproved,
        attested=epochs - reproved,
    )
