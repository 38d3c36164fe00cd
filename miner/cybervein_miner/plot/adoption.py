"""What lies on a disk when it is opened: unfinished plots go, whole ones are taken in.

A plot file without metadata was never whole, unless the inventory knows its commitments: then only
the note was lost, and it is written again. Sizes are checked here, bytes by proofs and scrubbing.
"""

from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path

from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, ProofError, StorageError
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import PlotClaim, PlotMetadata, decode_metadata, describe_plot
from cybervein_protocol.space.metadata import METADATA_BYTES_MAX
from cybervein_runtime.files import read_limited, write_atomic

from cybervein_miner.disk.belongings import found_in
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import PLOT_SUFFIX, Inventory, OwnPlot, metadata_path
from cybervein_miner.plot.making import PARTIAL_SUFFIX
from cybervein_miner.record.tree_file import outboard_path


def take_in(
    inventory: Inventory, key: KeyPair, disks: Iterable[Disk], making: Container[int] = ()
) -> list[str]:
    """Bring the inventory in step with disks that were just opened; what is wrong, in words.

    Files of plots in the `making` are the plotter's.
    """
    problems: list[str] = []
    for disk in disks:
        if disk.readable:
            with suppress(StorageError), disk.guard("list plots", None):
                problems += _take_in(inventory, key, disk, making)
    return problems


def _take_in(inventory: Inventory, key: KeyPair, disk: Disk, making: Container[int]) -> list[str]:
    rows = inventory.rows()
    mine = {row.number: row for row in rows if row.disk == disk.id}
    elsewhere = {row.number for row in rows if row.disk != disk.id}
    problems = []
    found = found_in(disk, "plots")
    for path in found.ours:
        number = _number(path)
        if _number_in_name(path) in making:
            continue
        if number is None:
            _drop_partial(disk, path)
        elif number not in elsewhere:
            problems += _plot(inventory, key, disk, path, mine.pop(number, None))
    if found.unread:
        return problems  # what was not seen is not gone
    inventory.set_bad(mine.values())
    return problems + [f"plot {number}: its file on {disk.path} is gone" for number in mine]


def _plot(
    inventory: Inventory, key: KeyPair, disk: Disk, path: Path, row: OwnPlot | None
) -> list[str]:
    """One plot file, known or not."""
    note = metadata_path(path)
    if row is None and not note.exists():
        if disk.placeable:
            path.unlink()
            outboard_path(path).unlink(missing_ok=True)
        return []
    if row is not None and not note.exists() and disk.placeable:
        write_atomic(note, encode(_describe(inventory, key, row)))
    try:
        meta = _checked(inventory, path)
        if row is not None and row.gamma != meta.gamma:
            raise ProofError(f"{path} has other commitments than this plot was made with")
    except CyberVeinError as error:
        inventory.set_bad([row] if row else [])
        return [str(error)]
    if row is None:
        inventory.add(disk, meta)
    return []


def _describe(inventory: Inventory, key: KeyPair, row: OwnPlot) -> PlotMetadata:
    shape = inventory.shape
    claim = PlotClaim(index=row.number, b=shape.b, k=shape.k, kappa=row.kappa, gamma=row.gamma)
    return describe_plot(key, claim)


def _checked(inventory: Inventory, path: Path) -> PlotMetadata:
    """The metadata beside a plot file, if it can be this miner's plot. Raises ProofError."""
    meta = decode_metadata(read_limited(metadata_path(path), METADATA_BYTES_MAX))
    size, shape = path.stat().st_size, inventory.shape
    if (meta.public_key, meta.claim.shape, meta.index) != (inventory.miner, shape, _number(path)):
        raise ProofError(f"{path}: metadata of another miner, shape or number; it is not used")
    if size != shape.plot_bytes:
        raise ProofError(f"{path}: {size} bytes, expected {shape.plot_bytes}; it is made again")
    return meta


def _drop_partial(disk: Disk, path: Path) -> None:
    """Remove what only an interrupted plotter leaves."""
    temporary = path.name.startswith(".") and path.name.endswith(".tmp")
    if disk.placeable and (temporary or path.name.endswith(PLOT_SUFFIX + PARTIAL_SUFFIX)):
        path.unlink(missing_ok=True)


def _number_in_name(path: Path) -> int:
    """Of any file that belongs to a plot."""
    return int(path.name.removeprefix(".").partition(".")[0])


def _number(path: Path) -> int | None:
    stem = path.name.removesuffix(PLOT_SUFFIX)
    return int(stem) if path.suffix == PLOT_SUFFIX and stem.isdigit() else None
