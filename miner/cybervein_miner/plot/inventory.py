"""The list of plots: numbers, files, commitments, and what the ledger makes of each.

| state    | meaning                                                                            |
|----------|------------------------------------------------------------------------------------|
| made     | whole on disk, in no unit yet                                                      |
| sent     | in a `plot.batch` unit that is not final yet                                       |
| pending  | registered, its batch waits for the verdict                                        |
| active   | its batch passed: proven in every epoch from `since_epoch` on                      |
| void     | its batch failed: kept, no longer proven, never registered again automatically     |
| retiring | on its way out                                                                     |
| bad      | its bytes are not its root's: on its way out                                       |

On disk, under `cybervein/plots/`: `<number>.plot` (raw rows), `.plot.obao` (outboard) and
`.plot.meta` (signed metadata), written in this order: a plot without metadata is not whole.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import structlog
from cybervein_protocol.errors import CyberVeinError, StorageError
from cybervein_protocol.space import PlotMetadata, PlotShape

from cybervein_miner.disk.aside import Aside
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import outboard_path

PLOT_SUFFIX = ".plot"
METADATA_SUFFIX = ".meta"
DELETE_SECONDS_MAX = 20.0
_log = structlog.get_logger()


class PlotState(StrEnum):
    """State of a plot; see the module."""

    MADE = "made"
    SENT = "sent"
    PENDING = "pending"
    ACTIVE = "active"
    VOID = "void"
    RETIRING = "retiring"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlot:
    """One plot; `disk` is the disk's id in hex, `batch` the digest of its batch's CID."""

    number: int
    disk: str
    mu: bytes
    kappa: bytes
    gamma: bytes
    plot_id: bytes
    state: PlotState
    batch: bytes | None
    since_epoch: int


_COLUMNS = "SELECT number, disk, mu, kappa, gamma, plot_id, state, batch, since_epoch FROM plot"


_NOTES_BYTES = 8192  # metadata, rounded up to blocks
_OUTBOARD_PARTS = 256


def footprint(shape: PlotShape) -> int:
    """Bytes that a plot takes on disk, with its outboard and metadata."""
    return shape.plot_bytes + shape.plot_bytes // _OUTBOARD_PARTS + _NOTES_BYTES


def plot_path(disk: Disk, number: int) -> Path:
    """The plot's file."""
    return disk.folder("plots") / f"{number:08d}{PLOT_SUFFIX}"


def metadata_path(path: Path) -> Path:
    """The signed metadata beside a plot file."""
    return path.with_name(path.name + METADATA_SUFFIX)


def needs_ledger(row: OwnPlot) -> bool:
    """Whether a unit of the ledger still rests on this plot's file."""
    return row.batch is not None and row.state is not PlotState.VOID


class Inventory:
    """All plots of this miner."""

    def __init__(self, rack: Rack, journal: Journal, miner: bytes, shape: PlotShape) -> None:
        self.rack, self.journal = rack, journal
        self.miner, self.shape = miner, shape
        self._lanes = Lanes("delete plots")
        self._aside = Aside()
        self.doubted: set[int] = set()
        """Numbers of plots whose slice proved nothing, until somebody has read them whole."""

    def rows(self, *states: PlotState) -> list[OwnPlot]:
        """All plots, or those in some states, by number."""
        rows = [_row(row) for row in self.journal.read(f"{_COLUMNS} ORDER BY number")]
        return [row for row in rows if not states or row.state in states]

    def bytes_on(self, disk: str) -> int:
        """Bytes of the plots on a disk, with all that belongs to them."""
        sql = "SELECT count(*) FROM plot WHERE disk = ?"
        [(plots,)] = self.journal.read(sql, (bytes.fromhex(disk),))
        return int(plots) * footprint(self.shape)

    def find(self, gamma: bytes) -> OwnPlot | None:
        """The plot with that space root."""
        rows = self.journal.read(f"{_COLUMNS} WHERE gamma = ?", (gamma,))
        return _row(rows[0]) if rows else None

    def path(self, row: OwnPlot) -> tuple[Disk, Path]:
        """Its disk and file. Raises UnknownError if the disk was given up."""
        disk = self.rack.get(row.disk)
        return disk, plot_path(disk, row.number)

    def stays(self, row: OwnPlot) -> bool:
        """Whether the plot's disk is here to stay."""
        return not self.forgotten(row) and self.rack.get(row.disk).stays

    def forgotten(self, row: OwnPlot) -> bool:
        """Whether the plot's disk was given up for good: no unit will rest on the plot again."""
        return all(row.disk != disk.id for disk in self.rack.disks)

    def next_number(self) -> int:
        """A number that no plot had before, taken durably (two lives of one mu would collide)."""

        def work(connection: sqlite3.Connection) -> int:
            rows = connection.execute("SELECT value FROM counter WHERE name = 'plot'").fetchall()
            [(highest,)] = connection.execute("SELECT max(number) FROM plot").fetchall()
            number = max(rows[0][0] if rows else 0, 0 if highest is None else highest + 1)
            connection.execute("INSERT OR REPLACE INTO counter VALUES ('plot', ?)", (number + 1,))
            return int(number)

        return self.journal.write_now(work)

    def reserve_numbers(self, highest: int) -> None:
        """No new plot takes a number up to this one: the ledger knows plots that are not here."""
        sql = (
            "INSERT INTO counter VALUES ('plot', ?1) "
            "ON CONFLICT DO UPDATE SET value = max(value, ?1)"
        )
        self.journal.write_now(lambda db: db.execute(sql, (highest + 1,)))

    def add(self, disk: Disk, meta: PlotMetadata) -> None:
        """List a plot that is whole on disk."""
        row = (
            *(meta.index, bytes.fromhex(disk.id), meta.mu, meta.kappa, meta.gamma, meta.plot_id),
            *(PlotState.MADE, None, 0, 0),
        )
        slots = ", ".join("?" * len(row))
        self.journal.write_now(
            lambda db: db.execute(f"INSERT OR REPLACE INTO plot VALUES ({slots})", row)  # noqa: S608 -- question marks
        )

    def set_state(
        self, rows: Iterable[OwnPlot], state: PlotState, batch: bytes | None, since_epoch: int = 0
    ) -> None:
        """Move plots to a state, durably, all or none."""
        values = [(state, batch, since_epoch, row.number) for row in rows]
        sql = "UPDATE plot SET state = ?, batch = ?, since_epoch = ? WHERE number = ?"
        self.journal.write_now(lambda db: db.executemany(sql, values))

    def set_bad(self, rows: Iterable[OwnPlot]) -> None:
        """These are to be retired and made again."""
        for row in rows:
            self.set_state([row], PlotState.BAD, row.batch)

    def drop(self, rows: Sequence[OwnPlot]) -> None:
        """Delete files, then rows; a disk that is away or late keeps its rows until it is back."""
        by_disk: dict[str, list[OwnPlot]] = {}
        for row in rows:
            by_disk.setdefault(row.disk, []).append(row)
        work = {disk: partial(self._delete_all, there) for disk, there in by_disk.items()}
        done = self._lanes.run(work, DELETE_SECONDS_MAX)
        values = [(number,) for numbers in done.values() for number in numbers]
        self.journal.write_now(
            lambda db: db.executemany("DELETE FROM plot WHERE number = ?", values)
        )

    def forget(self, disk: Disk) -> None:
        """Drop the rows of a disk that was wiped or forgotten; files are left alone."""
        values = (bytes.fromhex(disk.id),)
        self.journal.write_now(lambda db: db.execute("DELETE FROM plot WHERE disk = ?", values))

    def _delete_all(self, rows: Sequence[OwnPlot]) -> list[int]:
        rows = [row for row in rows if not self._aside.waits(row.number)]
        return [row.number for row in rows if self._delete_files(row)]

    def _delete_files(self, row: OwnPlot) -> bool:
        try:
            disk, path = self.path(row)
        except CyberVeinError:
            return True
        try:
            with disk.guard(f"delete plot {row.number}"):
                for file in (metadata_path(path), path, outboard_path(path)):
                    file.unlink(missing_ok=True)
        except StorageError as error:
            if disk.there and self._aside.failed(row.number):
                _log.warning(
                    "plot cannot be deleted; it is set aside and tried again",
                    plot=row.number,
                    error=str(error),
                )
            return False
        self._aside.done(row.number)
        return True


def _row(row: tuple[int, bytes, bytes, bytes, bytes, bytes, str, bytes | None, int]) -> OwnPlot:
    number, disk, mu, kappa, gamma, plot_id, state, batch, since = row
    return OwnPlot(
        number=number,
        disk=disk.hex(),
        mu=mu,
        kappa=kappa,
        gamma=gamma,
        plot_id=plot_id,
        state=PlotState(state),
        batch=batch,
        since_epoch=since,
    )
