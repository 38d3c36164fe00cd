"""The loops of a running miner, beside the one that proves (`prover.epochs`) and the plotter's.

Each does one round after the other; what fails in a round is said and tried again in the next.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Final, TypeVar

import structlog
from cybervein_protocol.errors import CyberVeinError, StorageError

from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.sight import Sight
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.late import LateWatch
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.threads import side_by_side
from cybervein_miner.duty.disk_events import DiskEvents
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.doubts import PlotDoubts
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.shard.scrub import Scrubber
from cybervein_miner.shard.trash import Trash
from cybervein_miner.shard.wanted import WantedShards

LEAVING_SECONDS: Final = 1.0
LEFT_BEHIND_SECONDS: Final = 3.0
UPKEEP_SECONDS: Final = 10.0
TAKE_IN_SECONDS_MAX: Final = 60.0
SCRUB_PAUSE_SECONDS: Final = 60.0
_log = structlog.get_logger()
T = TypeVar("T")


class Stopping:
    """Tells loops and threads that the miner stops."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.threads = threading.Event()

    def request(self) -> None:
        """Stop."""
        self._event.set()
        self.threads.set()

    @property
    def requested(self) -> bool:
        """Whether the miner stops."""
        return self._event.is_set()

    async def thread(self, work: Callable[[], T]) -> T:
        """What `work` returns from a thread; one that a disk holds up is left behind by the stop.

        Raises InterruptedError then.
        """
        done = asyncio.ensure_future(asyncio.to_thread(work))
        stop = asyncio.ensure_future(self._event.wait())
        await asyncio.wait({done, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        await asyncio.wait({done}, timeout=LEFT_BEHIND_SECONDS)
        if done.done():
            return done.result()
        raise InterruptedError("the miner stops; a disk has not answered")

    async def within(self, seconds: float) -> bool:
        """Wait; True as soon as the miner stops, False when the time is over."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass(kw_only=True, eq=False)
class Upkeep:
    """Disks, trash, plots that give way, and what nobody wants any more."""

    rack: Rack
    plotter: Plotter
    trash: Trash
    wanted: WantedShards
    events: DiskEvents
    clock: NetworkClock
    late: LateWatch
    take_in: Callable[[list[Disk]], None]
    doubts: PlotDoubts
    sight: Sight
    stopping: Stopping
    sure: Callable[[], bool]
    """Whether what the journal calls trash is trash."""
    _told: set[str] = field(default_factory=set)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)
    _away: set[str] = field(default_factory=set)
    """Disks that were away, and have not been taken in since."""

    def begin(self) -> None:
        """Take in what is there at the start; what is not is taken in once it comes (blocks)."""
        disks = self.rack.disks
        self._away |= {disk.id for disk in disks if not disk.there}
        self.take_in(disks)

    def hurry(self) -> None:
        """Look again now: a disk that was refused may be right by now."""
        self._hurried.set()

    def tell_refused(self) -> None:
        """One event for each path that is refused, and for each new reason."""
        now = {str(error) for error in self.rack.refused.values()}
        for reason in sorted(now - self._told):
            _log.error("disk is refused and tried again; the others keep working", reason=reason)
        self._told = now

    async def run(self) -> None:
        """Rounds until stopped."""
        while not await self._pause():
            try:
                await self.stopping.thread(self.look)
                await self._round(ask=bool(self.sight.reachable))
            except CyberVeinError as error:
                _log.warning("upkeep failed", error=str(error))
            except InterruptedError:
                return

    async def _pause(self) -> bool:
        """Wait for the next round; True as soon as the miner stops."""
        pause = asyncio.ensure_future(self.stopping.within(UPKEEP_SECONDS))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait({pause, hurried}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            hurried.cancel()
        self._hurried.clear()
        return self.stopping.requested

    async def _round(self, *, ask: bool) -> None:
        if self.sure():
            await self.stopping.thread(self.trash.purge)
            await self.stopping.thread(partial(self.trash.relieve, self.plotter.short()))
        await self.stopping.thread(self.doubts.settle)
        for disk, rows in groupby(self.plotter.give_way(), attrgetter("disk")):
            self.events.gave_way(disk, [row.number for row in rows])
        if ask:
            await self.wanted.look()

    def look(self) -> None:
        """See which disks went, and take in those that came (blocks)."""
        self._away |= {disk.id for disk in self.rack.disks if not disk.there}
        self.rack.look()
        self.events.look()
        self.late.look()
        self.clock.tell()
        back = self._back()
        back += self.rack.try_refused()  # a person may have mounted the right disk by now
        self.tell_refused()
        if back:
            work = {"back": partial(self.take_in, back)}
            done = side_by_side(work, TAKE_IN_SECONDS_MAX, "take in")["back"]
            if done.done() and (error := done.exception()):
                paths = ", ".join(str(disk.path) for disk in back)
                raise StorageError(f"{paths}: not all was taken in: {error}") from error

    def _back(self) -> list[Disk]:
        """Those that came; a look that took its time may have ended between two of ours."""
        there = {disk.id: disk for disk in self.rack.disks if disk.readable and not disk.drained}
        back = [disk for name, disk in there.items() if name in self._away]
        self._away -= there.keys()
        return back


async def scrub(stopping: Stopping, scrubber: Scrubber) -> None:
    """Verify everything again, slowly, until stopped."""
    while not stopping.requested:
        try:
            busy = await stopping.thread(scrubber.step)
        except CyberVeinError as error:
            busy = False
            _log.warning("scrub failed; it continues later", error=str(error))
        except InterruptedError:
            return
        if not busy and await stopping.within(SCRUB_PAUSE_SECONDS):
            return


async def empty_disks(stopping: Stopping, leaving: Leaving, drain: Drain, sight: Sight) -> None:
    """Empty disks that leave, until stopped."""
    while not stopping.requested:
        more = await leaving.round(reachable=bool(sight.reachable), local=not drain.wanted)
        if not more and await stopping.within(LEAVING_SECONDS):
            return
