"""A disk's part of its filesystem: what is free above the floor, less what was promised already.

`leaving` (asked to be removed) and a full disk only stop placement.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.calls import ANSWER_SECONDS
from cybervein_miner.disk.fullness import FULL, Fullness, without_files
from cybervein_miner.disk.gauge import NO_ROOM, Gauge, Room
from cybervein_miner.disk.limits import Allowance
from cybervein_miner.disk.presence import Presence
from cybervein_miner.disk.space import NONE, Reservation, Space, space_of, usual_floor


@dataclass(eq=False, slots=True)
class Allotment(Presence):
    """The space of a disk that is there."""

    fullness: Fullness = field(default_factory=Fullness)
    beside: Callable[[], Sequence["Allotment"]] = tuple
    """Other disks of this miner on the same filesystem: its space is there once, for all."""
    limit: Callable[[], Allowance | None] = lambda: None
    """How much of its filesystem may be ours, where somebody said."""
    _reservations: list[Reservation] = field(default_factory=list)
    _gauge: Gauge = field(default_factory=Gauge)
    _settling: Lock = field(default_factory=Lock)

    @property
    def placeable(self) -> bool:
        """Whether something new may go there, space allowing."""
        works = self.state is DiskState.READY and self.stays and not self.calls.overdue()
        return works and not (self.fullness.kind and self.fullness.stands(self._gauged().space))

    @property
    def no_room(self) -> str:
        """`full`, `no inodes` or `quota` where it takes nothing more for that reason, else ""."""
        if self.state is not DiskState.READY or not self.readable:
            return ""
        space = self._gauged().space
        self.fullness.stands(space)
        return self.fullness.kind or without_files(space) or ("" if self._room() else FULL)

    def space(self) -> Space:
        """Capacity, free and floor, its part of the filesystem; zeros where it cannot be asked."""
        room = self._gauged()
        part = room.space.part(self._sharers())
        if (allowance := room.allowance) is None:
            return part
        written = allowance.used + room.begun - self.promised()
        return part.within(allowance.size, written, usual_floor(allowance.size, self.floor))

    @property
    def exceeded(self) -> Allowance | None:
        """Its allowance, where more is there than that: nothing comes, and nothing gives way."""
        allowance = self._gauged().allowance
        return allowance if allowance is not None and allowance.exceeded else None

    def available(self, more: int = 0) -> int:
        """Bytes that may still be promised here, its part of what the filesystem has.

        `more` are bytes that would be free if they were given up (trash).
        """
        room = self._gauged()
        part = self._whole_room(room, more) // self._sharers()
        return max(0, min(part, self._allowed(room, part, more)))

    def _sharers(self) -> int:
        return 1 + sum(other.placeable for other in self.beside())

    def _room(self, more: int = 0) -> int:
        """Bytes that may still be promised: free, less the floor, less open reservations."""
        room = self._gauged()
        whole = self._whole_room(room, more)
        return max(0, min(whole, self._allowed(room, whole, more)))

    def _allowed(self, room: Room, whole: int, more: int) -> int:
        allowed = room.allowed(self.floor)
        return whole if allowed is None else allowed + more

    @staticmethod
    def _whole_room(room: Room, more: int) -> int:
        if without_files(room.space) and not more:
            return 0
        return max(0, room.space.free + more - room.space.floor - room.promised)

    def _gauged(self) -> Room:
        return self._gauge.read(self._ask) if self.readable else NO_ROOM

    def _ask(self) -> Room:
        with self.calls.under_way("ask for its free space", ANSWER_SECONDS):
            # In this order what is written meanwhile counts twice, the other way round not at all.
            promised = sum(map(Allotment.promised, (self, *self.beside())))
            space = space_of(self.path, self.floor) if self.here() else NONE
        with self._settling:
            begun = sum(each.size for each in tuple(self._reservations))
            return Room(space, promised, self.limit(), begun)

    def promised(self) -> int:
        """Bytes that are promised and not written yet."""
        return sum(each.outstanding() for each in tuple(self._reservations))

    def reserve(self, size: int, file: Path) -> Reservation:
        """Promise `size` bytes to `file`. Raises StorageError; `release` it afterwards."""
        available = self._room()
        if not self.placeable:
            raise StorageError(f"disk {self.path}: {self.refusal()}")
        if size > available:
            raise StorageError(
                f"disk {self.path}: {size} bytes do not fit, {available} are free above the floor "
                f"of {self.space().floor}; add a disk or lower the floor"
            )
        reservation = Reservation(size, file)
        self._reservations.append(reservation)
        return reservation

    def release(self, reservation: Reservation) -> None:
        """End a reservation; a second time changes nothing."""
        with suppress(ValueError):
            self._reservations.remove(reservation)

    @contextmanager
    def settled(self, reservation: Reservation) -> Iterator[None]:
        """Note a finished file and end its reservation in one step: it counts once at any time."""
        with self._settling:
            yield
            self.release(reservation)

    def refusal(self) -> str:
        """Why nothing is placed here."""
        if overdue := self.calls.overdue():
            return overdue
        if self.state is not DiskState.READY:
            return f"{self.state.value} ({self.reason})"
        if not self.stays:
            return "it is being removed"
        if self.no_room in {"", FULL} and not self.fullness.kind:
            return "it has no space above its floor"
        return f"its filesystem takes nothing more: {self.no_room}"
