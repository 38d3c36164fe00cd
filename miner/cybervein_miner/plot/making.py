"""Making one plot file: native where it is installed, the specification where it is not.

The native plotter reserves the whole file first, works in memory, writes, syncs, reads back and
renames. An interrupted plot costs one plot's time and leaves a `.partial` file that the next start
removes; the plot's number is not used again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cybervein_protocol.encoding import encode
from cybervein_protocol.native import native
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import (
    PlotClaim,
    PlotMetadata,
    PlotShape,
    describe_plot,
    make_plot,
    plot_seed,
)
from cybervein_protocol.tree import root_and_outboard
from cybervein_runtime.files import sync_directory, write_atomic

from cybervein_miner.plot.inventory import metadata_path
from cybervein_miner.record.tree_file import outboard_path

PARTIAL_SUFFIX = ".partial"
Progress = Callable[[int, int], None]
"""Called with (work done, work in all); what it raises stops the plotter and comes out of it."""


class StoppedError(Exception):
    """Raised by a progress callback to stop a plotter."""


def partial_path(path: Path) -> Path:
    """Where an unfinished plot lies."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


def make_plot_file(
    path: Path, key: KeyPair, index: int, shape: PlotShape, progress: Progress | None = None
) -> PlotMetadata:
    """The plot, its outboard and its metadata, at `path` and beside it; the metadata comes last.

    Raises OSError or StorageError (full or failing disk), MemoryError, and what `progress` raises.
    """
    module = native()
    if module is None:
        kappa, gamma, outboard = _make(path, key.public, index, shape, progress)
    else:
        kappa, gamma, outboard = module.plot_create(
            path, key.public, index, shape.b, shape.k, progress
        )
    claim = PlotClaim(index=index, b=shape.b, k=shape.k, kappa=kappa, gamma=gamma)
    meta = describe_plot(key, claim)
    with _whole_or_not_at_all(path):
        if outboard:
            write_atomic(outboard_path(path), outboard)
        write_atomic(metadata_path(path), encode(meta))
    return meta


@contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[None]:
    """A plot without its notes takes space, until the next start, and proves nothing."""
    try:
        yield
    except BaseException:
        for file in (metadata_path(path), outboard_path(path), path):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        raise


def _make(
    path: Path, public: bytes, index: int, shape: PlotShape, progress: Progress | None
) -> tuple[bytes, bytes, bytes]:
    """The specification's bytes, written as carefully."""
    total = shape.rows * shape.k

    def observe(i: int, layer: int, _row: bytes) -> None:
        if progress is not None and i % 64 == 0:
            progress((layer - 1) * shape.rows + i, total)

    plot = make_plot(plot_seed(public, index, shape.b, shape.k), shape, observe)
    partial = partial_path(path)
    try:
        with partial.open("wb") as file:
            file.write(plot.rows)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
    gamma, outboard = root_and_outboard(plot.rows)
    return plot.kappa, gamma, outboard
