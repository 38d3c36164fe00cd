"""Reading plots for an epoch's proof: a row of each, and slices of those with the best rows.

Each function works on one disk, in a thread of that disk, and looks at the time between two reads:
what was read in time counts. A plot whose slice proves nothing is doubted and passed over: whether
it is rotten, or its outboard, is found out by whoever has the time (`plot.doubts`).
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cybervein_protocol.errors import CyberVeinError, ProofError
from cybervein_protocol.space import (
    ROW_BYTES,
    SpaceAnswer,
    challenge,
    quality,
    verify_space_answer,
)
from cybervein_protocol.tree import OutboardError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import Inventory, OwnPlot
from cybervein_miner.record.tree_file import file_slice, read_outboard

_log = structlog.get_logger()
Quality = tuple[int, OwnPlot]


@dataclass(eq=False, slots=True)
class DiskReading:
    """The plots of one disk, what was found of them so far, and how many were looked at."""

    rows: Sequence[OwnPlot]
    found: list[Quality] = field(default_factory=list)
    looked_at: int = 0

    @property
    def left(self) -> int:
        """Plots that nobody has looked at."""
        return len(self.rows) - self.looked_at


@dataclass(frozen=True, slots=True)
class PlotReader:
    """Reads this miner's plots under one beacon; `until` are monotonic moments."""

    inventory: Inventory
    beacon: bytes

    def qualities(self, reading: DiskReading, until: float) -> None:
        """One read of 512 bytes for each plot of a disk."""
        for row in reading.rows:
            if time.monotonic() >= until:
                return
            x = self._quality(row)
            reading.found += [] if x is None else [(x, row)]
            reading.looked_at += 1

    def answers(self, found: Sequence[Quality], into: list[SpaceAnswer], until: float) -> None:
        """The slice of each, verified, into a list that is looked at while this continues."""
        for x, row in found:
            if time.monotonic() >= until:
                return
            answer = self._answer(x, row)
            into += [] if answer is None else [answer]

    def _quality(self, row: OwnPlot) -> int | None:
        s, place = challenge(self.beacon, row.plot_id, self.inventory.shape.rows)
        try:
            disk, path = self.inventory.path(row)
            with disk.guard(f"prove plot {row.number}", file=path):
                return quality(s, _read_row(path, place))
        except (FileNotFoundError, ProofError) as error:
            self._bad(row, error)
        except CyberVeinError:
            pass  # its disk is away or errs, which is one event of the disk; it counts again later
        return None

    def _answer(self, x: int, row: OwnPlot) -> SpaceAnswer | None:
        shape = self.inventory.shape
        _, place = challenge(self.beacon, row.plot_id, shape.rows)
        try:
            disk, path = self.inventory.path(row)
            encoded = _slice(disk, path, row, place)
            answer = SpaceAnswer(plot_id=row.plot_id, x=x.to_bytes(8, "big"), slice=encoded)
            verify_space_answer(self.beacon, row.plot_id, row.gamma, shape.b, answer)
        except FileNotFoundError as error:
            self._bad(row, error)
            return None
        except (OutboardError, ProofError):
            self.inventory.doubted.add(row.number)
            return None
        except CyberVeinError:
            return None
        return answer

    def _bad(self, row: OwnPlot, error: Exception) -> None:
        _log.error("plot is bad and will be made again", plot=row.number, error=str(error))
        self.inventory.set_bad([row])


def _slice(disk: Disk, path: Path, row: OwnPlot, place: int) -> bytes:
    with disk.guard(f"prove plot {row.number}", file=path):
        return file_slice(path, read_outboard(path), place * ROW_BYTES, ROW_BYTES)


def _read_row(path: Path, place: int) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(handle, ROW_BYTES, place * ROW_BYTES)
    finally:
        os.close(handle)
    if len(data) != ROW_BYTES:
        raise ProofError(f"{path}: {len(data)} bytes at row {place}, expected {ROW_BYTES}")
    return data
