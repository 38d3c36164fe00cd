"""`cybervein plot`: make and check plot files without any network."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cybervein_protocol.errors import CyberVeinError, StorageError, UnknownError
from cybervein_protocol.presets import preset as named_preset
from cybervein_protocol.space import PlotMetadata, PlotShape, decode_metadata
from cybervein_protocol.space.metadata import METADATA_BYTES_MAX
from cybervein_runtime.console import Console
from cybervein_runtime.files import read_limited
from cybervein_runtime.identity import Identity, load_or_create_identity
from cybervein_runtime.usage import given
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cybervein_miner.cli.context import console_of
from cybervein_miner.disk.lock import DiskLock, disk_around
from cybervein_miner.plot.inventory import metadata_path
from cybervein_miner.plot.making import make_plot_file
from cybervein_miner.record.tree_file import expect_root, file_tree

_ROLE: Final = "plot command"
plot_app = typer.Typer(help="Make and check plot files, without any network.")
Bar = Callable[[int, int], None]


@plot_app.command("create")
def create(  # noqa: PLR0913, PLR0917 -- options of a command
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the plot files go.")],
    identity: Annotated[Path, typer.Option(help="identity.json; created if absent.")],
    preset: Annotated[str, typer.Option(help="test, local or main: the size of a plot.")] = "main",
    index: Annotated[int, typer.Option(min=0, help="Number of the first plot.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many plots.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Plots made at the same time.")] = 1,
) -> None:
    """Make plots of an identity: the same key and number give the same bytes again."""
    with given("--preset"):
        numbers = named_preset(preset)
    shape = PlotShape(numbers.plot_rows_log2, numbers.plot_layers)
    if not folder.is_dir():
        raise StorageError(f"{folder} is not a directory; create it first")
    keys = load_or_create_identity(identity)
    console = console_of(context)
    with _alone_on_disk(folder), _bars(console) as bar, ThreadPoolExecutor(threads, "plot") as pool:
        jobs = [
            pool.submit(_create, folder, keys, number, shape, bar(f"plot {number}"))
            for number in range(index, index + count)
        ]
        plots = _results(jobs)
    console.emit([_describe(path, meta) for path, meta in plots])


@plot_app.command("check")
def check(
    context: typer.Context,
    plot: Annotated[Path, typer.Argument(help="Plot file; its metadata lies beside it.")],
) -> None:
    """Read a plot file whole and compare it with its signed metadata."""
    console = console_of(context)
    meta = read_metadata(plot)
    done = 0
    with console.progress(plot.name, plot.stat().st_size) as progress:

        def pace(count: int) -> None:
            nonlocal done
            done += count
            progress(done)

        root, _ = file_tree(plot, pace)
    expect_root(plot, root, meta.gamma)
    console.emit(_describe(plot, meta) | {"good": True})


def read_metadata(plot: Path) -> PlotMetadata:
    """The signed metadata beside a plot file. Raises UnknownError, ProofError, SignatureError."""
    meta = metadata_path(plot)
    if plot.is_dir():
        raise StorageError(f"{plot} is a folder; name one of its plot files")
    if not plot.exists():
        raise UnknownError(f"{plot} does not exist; name a plot file that does")
    if not meta.exists():
        raise UnknownError(
            f"{plot} is no plot file, or has lost its metadata: {meta.name} is not beside it; "
            "bring that back, or make the same plot again with `cybervein plot create`"
        )
    try:
        return decode_metadata(read_limited(meta, METADATA_BYTES_MAX))
    except CyberVeinError as error:
        raise type(error)(
            f"{meta}: {error}; make the same plot again with `cybervein plot create`"
        ) from error


def _create(
    folder: Path, identity: Identity, number: int, shape: PlotShape, bar: Bar
) -> tuple[Path, PlotMetadata]:
    path = folder / f"{number:08d}.plot"
    try:
        with _alone_with(path):
            return path, make_plot_file(path, identity.keys, number, shape, bar)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(
            f"cannot make {path}: {reason}; free {shape.plot_bytes} bytes"
        ) from error


@contextmanager
def _alone_on_disk(folder: Path) -> Iterator[None]:
    """Hold the disk that the folder is on, where it is a miner's. Raises ConflictError."""
    lock = DiskLock(_ROLE)
    try:
        if disk := disk_around(folder.resolve()):
            lock.take(disk)
        yield
    finally:
        lock.let_go()


@contextmanager
def _alone_with(plot: Path) -> Iterator[None]:
    """Two commands may fill one folder, each with plots of its own. Raises ConflictError."""
    lock, file = DiskLock(_ROLE), plot.with_name(f".{plot.name}.lock")
    lock.take_file(file, f"plot {plot.name}", "wait until it is done, or give another --index")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.let_go()


def _results(jobs: list[Future[tuple[Path, PlotMetadata]]]) -> list[tuple[Path, PlotMetadata]]:
    """All results; after a first error what has not begun is left out."""
    try:
        return [job.result() for job in jobs]
    except BaseException:
        for job in jobs:
            job.cancel()
        raise


def _describe(path: Path, meta: PlotMetadata) -> dict[str, Any]:
    return {
        "file": str(path),
        "index": meta.index,
        "b": meta.b,
        "k": meta.k,
        "plot_id": meta.plot_id.hex(),
        "mu": meta.mu.hex(),
        "kappa": meta.kappa.hex(),
        "gamma": meta.gamma.hex(),
    }


@contextmanager
def _bars(console: Console) -> Iterator[Callable[[str], Bar]]:
    """One progress bar for each plot, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    quiet = console.as_json or not console.err.is_terminal
    with Progress(*columns, console=console.err, disable=quiet) as progress:

        def new(label: str) -> Bar:
            task = progress.add_task(label)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield new
