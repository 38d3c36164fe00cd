"""How many plots belong on each disk: pure, from the disks' space as numbers.

The rule, in order:
1. The floor of a disk stays free, whatever else happens.
2. Shards come before plots: above the floor a headroom is kept free for them (1/50 of the disk, at
   most 16 GiB). When half of it is gone, plots give way until it is whole again: the ones that do
   not count yet first, then the youngest. A person's own files push plots out in the same way.
3. Plots fill the rest up to the share `fill` of each disk, or up to `plots` in all, put one by one
   where most room is. Who names both gets both: `plots` in all, and on no disk more than `fill`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.names import MIB

HEADROOM_PARTS: Final = 50
HEADROOM_BYTES_MAX: Final = 16 << 30
PER_MILLE: Final = 1000
FILL_PER_MILLE: Final = 800
"""Of each disk, where the person names neither a share nor a number."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for: a share of each disk, a number of plots in all, or both."""

    fill_per_mille: int | None = None
    plots: int | None = None

    @property
    def per_mille(self) -> int:
        """The share that plots may take of each disk."""
        if self.fill_per_mille is not None:
            return self.fill_per_mille
        return FILL_PER_MILLE if self.plots is None else PER_MILLE


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """A disk in bytes: all of it, what may still be promised above the floor, and its plots."""

    id: str
    capacity: int
    available: int
    plots: int
    placeable: bool
    floor: int = 0

    @property
    def headroom(self) -> int:
        """Bytes kept free for shards."""
        return min(self.capacity // HEADROOM_PARTS, HEADROOM_BYTES_MAX)


def plots_wanted(disks: Sequence[DiskRoom], wish: Wish, plot_bytes: int) -> dict[str, int]:
    """How many plots each disk shall have; never fewer than it has (see `plots_to_give_way`)."""
    wanted = {disk.id: disk.plots for disk in disks}
    most = {disk.id: _most(disk, wish, plot_bytes) for disk in disks}
    if wish.plots is None:
        return {disk.id: max(disk.plots, most[disk.id]) for disk in disks}
    while sum(wanted.values()) < wish.plots:
        best = max(wanted, key=lambda name: most[name] - wanted[name], default=None)
        if best is None or most[best] <= wanted[best]:
            break
        wanted[best] += 1
    return wanted


def _most(disk: DiskRoom, wish: Wish, plot_bytes: int) -> int:
    """Plots that fit: above floor and headroom, within the share."""
    if not disk.placeable:
        return disk.plots
    room = disk.available - disk.headroom + disk.plots * plot_bytes
    room = min(room, disk.capacity * wish.per_mille // PER_MILLE)
    return max(0, room // plot_bytes)


def plots_to_give_way(disk: DiskRoom, plot_bytes: int) -> int:
    """How many plots of a disk must go so that shards have their headroom again."""
    return min(disk.plots, -(-bytes_missing(disk) // plot_bytes))


def bytes_missing(disk: DiskRoom) -> int:
    """Bytes that must be freed so that shards have their headroom; 0 while half of it is there."""
    enough = disk.available >= disk.headroom // 2
    return 0 if enough else disk.headroom - disk.available


def why_no_plot(disk: DiskRoom, wish: Wish, plot_bytes: int) -> str:
    """Why a disk without plots gets none, in words; "" where it has or gets some, or none is asked.

    A disk that is too small stays so; one that is full may yet be emptied by a person.
    """
    if wish.plots == 0 or wish.per_mille == 0 or not disk.placeable or disk.plots:
        return ""
    if _most(disk, wish, plot_bytes):
        return ""
    share = disk.capacity * wish.per_mille // PER_MILLE
    usable = max(0, min(share, disk.capacity - disk.floor - disk.headroom))
    asked = f"a plot takes {_mib(plot_bytes)}"
    if usable < plot_bytes:
        return f"too small for a plot: {asked}, plots may have {_mib(usable)} here; it takes shards"
    free = max(0, disk.available - disk.headroom)
    return f"no room for a plot: {asked}, {_mib(free)} are free for plots; it takes shards"


def _mib(size: int) -> str:
    return f"{size / MIB:,.1f} MiB"
