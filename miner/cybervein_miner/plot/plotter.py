"""The loop that keeps disks filled: some threads, one plot each, until policy is satisfied."""

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.native import native
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import PlotShape

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.fullness import NO_INODES
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.space import Reservation
from cybervein_miner.plot.forecast import Forecast, PlotsNow
from cybervein_miner.plot.inventory import (
    Inventory,
    OwnPlot,
    PlotState,
    footprint,
    plot_path,
)
from cybervein_miner.plot.making import StoppedError, make_plot_file, partial_path
from cybervein_miner.plot.policy import (
    DiskRoom,
    Wish,
    bytes_missing,
    plots_to_give_way,
    plots_wanted,
    why_no_plot,
)
from cybervein_miner.record.tally import Tally

PAUSE_SECONDS: Final = 5.0
FAILURES_MAX: Final = 8
_MEMORY_SHARE: Final = 2  # plotters take half of the free memory at most
_COUNTED = (PlotState.MADE, PlotState.SENT, PlotState.PENDING, PlotState.ACTIVE, PlotState.VOID)
_YIELDING = (PlotState.VOID, PlotState.MADE, PlotState.ACTIVE)  # others wait for a verdict
_log = structlog.get_logger()


@dataclass(slots=True)
class Running:
    """A plot in the making; `done` of `total` units of work."""

    number: int
    disk: str
    done: int = 0
    total: int = 1


class Plotter:
    """Fills the rack by `wish` with at most `threads` plots side by side."""

    def __init__(  # noqa: PLR0913 -- built once, in assembly.py
        self,
        key: KeyPair,
        inventory: Inventory,
        wish: Wish,
        threads: int,
        tally: Tally,
        *,
        paused: bool = False,
    ) -> None:
        self._key, self._inventory, self.wish = key, inventory, wish
        self._threads, self._tally = threads, tally
        self._stop = threading.Event()
        self._failures: dict[str, int] = {}
        self.paused = paused
        self.running: dict[int, Running] = {}
        self.changed = asyncio.Event()
        self.forecast = Forecast()

    @property
    def _rack(self) -> Rack:
        return self._inventory.rack

    @property
    def shape(self) -> PlotShape:
        """The network's plots."""
        return self._inventory.shape

    def stop(self) -> None:
        """Abandon plots in the making; their temporary files are removed."""
        self._stop.set()
        self.changed.set()

    def rooms(self) -> list[DiskRoom]:
        """The disks as policy sees them; plots in the making count as there.

        Plots on a leaving disk count no more: others are made in their stead.
        """
        counts: dict[str, int] = {}
        for row in filter(self._inventory.stays, self._inventory.rows(*_COUNTED)):
            counts[row.disk] = counts.get(row.disk, 0) + 1
        for each in self.running.values():
            counts[each.disk] = counts.get(each.disk, 0) + 1
        return [_room(disk, counts.get(disk.id, 0)) for disk in self._rack.disks]

    def wanted(self) -> dict[str, int]:
        """Plots that each disk shall have."""
        return plots_wanted(self.rooms(), self.wish, footprint(self.shape))

    def now(self) -> PlotsNow:
        """How far plotting is."""
        rooms, running = self.rooms(), list(self.running.values())
        wanted = sum(plots_wanted(rooms, self.wish, footprint(self.shape)).values())
        whole = sum(room.plots for room in rooms) - len(running)
        return PlotsNow(whole, wanted, tuple(each.done / each.total for each in running))

    def why_no_plot(self, disk: Disk, plots: int) -> str:
        """Why this disk, which has so many plots, gets none, in words; "" where it does."""
        coming = sum(each.disk == disk.id for each in tuple(self.running.values()))
        return why_no_plot(_room(disk, plots + coming), self.wish, footprint(self.shape))

    def trust_again(self, disk: Disk) -> None:
        """A disk came, or a person had it looked after: what failed there before says nothing."""
        self._failures.pop(disk.id, None)

    def idle(self) -> bool:
        """Whether nothing is in the making and nothing more is wanted."""
        return not self.running and self._next_disk() is None

    def _next_disk(self) -> Disk | None:
        """The disk that lacks most plots; none while the miner drains."""
        if self.paused:
            return None
        rooms = self.rooms()  # one look for both: a plot may be finished meanwhile
        wanted = plots_wanted(rooms, self.wish, footprint(self.shape))
        lacking = [
            (wanted[room.id] - room.plots, room.id)
            for room in rooms
            if wanted[room.id] > room.plots and self._failures.get(room.id, 0) < FAILURES_MAX
        ]
        return self._rack.get(max(lacking)[1]) if lacking else None

    async def run(self) -> None:
        """Keep disks filled until stopped."""
        tasks: set[asyncio.Task[None]] = set()
        threads = affordable_threads(self._threads, self.shape)
        while not self._stop.is_set():
            self.changed.clear()
            while self._at_work() < threads and (disk := self._next_disk()) is not None:
                tasks.add(asyncio.create_task(self._make_one(disk)))
                await asyncio.sleep(0)
            waiting = asyncio.create_task(self.changed.wait())
            await asyncio.wait(
                {waiting, *tasks}, timeout=PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()
            self.forecast.tell(self.now())
            tasks = {task for task in tasks if not task.done()}
        await asyncio.gather(*tasks, return_exceptions=True)

    def _at_work(self) -> int:
        """Plots in the making, but for those whose disk hangs: they use no processor."""
        hung = {disk.id for disk in self._rack.disks if disk.calls.overdue()}
        return sum(each.disk not in hung for each in tuple(self.running.values()))

    async def _make_one(self, disk: Disk) -> None:
        number = self._inventory.next_number()
        try:  # space is promised in the same step as the plot is counted: none is counted twice
            promised = disk.reserve(footprint(self.shape), partial_path(plot_path(disk, number)))
            self.running[number] = Running(number, disk.id)
            self.forecast.begin()
            await asyncio.to_thread(self._make, disk, number, promised)
            del self.running[number]
            self.forecast.finish(self.now(), number, str(disk.path))
        except StoppedError:
            pass
        except (CyberVeinError, MemoryError, OSError) as error:
            self._tally.plots_failed += 1
            if not disk.fullness.kind:  # such a disk is tried again when it has room
                self._failures[disk.id] = self._failures.get(disk.id, 0) + 1
            _log.warning("plot failed", disk=str(disk.path), plot=number, error=str(error))
        finally:
            self.running.pop(number, None)

    def _make(self, disk: Disk, number: int, promised: Reservation) -> None:
        path = plot_path(disk, number)
        try:
            with disk.guard(f"make plot {number}", None):
                meta = make_plot_file(path, self._key, number, self.shape, self._watch(number))
            with disk.settled(promised):
                self._inventory.add(disk, meta)
        finally:
            disk.release(promised)
        self._failures.pop(disk.id, None)
        disk.fullness.taken()
        self._tally.plots_made += 1
        self._tally.plot_bytes_made += self.shape.plot_bytes

    def _watch(self, number: int) -> Callable[[int, int], None]:
        running = self.running[number]

        def progress(done: int, total: int) -> None:
            running.done, running.total = done, total
            if self._stop.is_set():
                raise StoppedError

        return progress

    def short(self) -> dict[str, int]:
        """Bytes that disks lack for shards: trash goes first, then plots."""
        return {room.id: bytes_missing(room) for room in self.rooms() if room.placeable}

    def give_way(self) -> list[OwnPlot]:
        """Plots that must make room for shards; moves them to `retiring`."""
        leaving: list[OwnPlot] = []
        for room in self.rooms():
            count = self._more_to_give_way(room)
            rows = [row for row in self._inventory.rows(*_YIELDING) if row.disk == room.id]
            rows.sort(key=lambda row: (_YIELDING.index(row.state), -row.number))
            leaving += rows[:count]
        for row in leaving:
            self._inventory.set_state([row], PlotState.RETIRING, row.batch)
        return leaving

    def _more_to_give_way(self, room: DiskRoom) -> int:
        """Beyond the plots that are going already: those free their space once the ledger agrees.

        Nothing gives way for files (inodes): whoever made those would take these as well. Nor for
        a limit that came when more was there: that plots are to go, a person says.
        """
        disk = self._rack.get(room.id)
        if not room.capacity or disk.no_room == NO_INODES or disk.exceeded:
            return 0
        going = self._inventory.rows(PlotState.RETIRING, PlotState.BAD)
        wanted = plots_to_give_way(room, footprint(self.shape))
        return max(0, wanted - sum(row.disk == room.id for row in going))


def _room(disk: Disk, plots: int) -> DiskRoom:
    space = disk.space()
    return DiskRoom(
        disk.id, space.capacity, disk.available(), plots, disk.placeable, floor=space.floor
    )


def affordable_threads(threads: int, shape: PlotShape) -> int:
    """As many plotters as asked for, as long as they fit half of the memory that is free now."""
    module = native()
    if module is None:
        return max(1, threads)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    each: int = module.plot_memory_bytes(shape.b)
    return max(1, min(threads, free // _MEMORY_SHARE // each))
