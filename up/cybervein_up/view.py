"""How `up` shows itself: a live table on a terminal, lines elsewhere, JSON lines with `--json`."""

import json
import sys
import time
from typing import Protocol

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cybervein_up.child import Child
from cybervein_up.snapshot import MinerState, Snapshot

_COIN = 10**9
_MIB = 1 << 20


class UpView(Protocol):
    """What `up` tells while it runs."""

    def started(self, child: Child) -> None:
        """A child serves at its URL."""

    def say(self, text: str) -> None:
        """A step of the run."""

    def crashed(self, child: Child) -> None:
        """A child ended although nobody stopped it."""

    def show(self, snapshot: Snapshot) -> None:
        """The network as it is now."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class JsonView:
    """One JSON document a line on standard output."""

    def started(self, child: Child) -> None:
        """`{"event": "started", name, url, pid}`."""
        self._emit(event="started", name=child.name, url=child.url, pid=child.pid)

    def say(self, text: str) -> None:
        """`{"event": "note", text}`."""
        self._emit(event="note", text=text)

    def crashed(self, child: Child) -> None:
        """`{"event": "crashed", name, text}`."""
        self._emit(event="crashed", name=child.name, text=child.obituary())

    def show(self, snapshot: Snapshot) -> None:
        """`{"event": "status", epoch, height, supply, …}`."""
        self._emit(
            event="status",
            epoch=snapshot.epoch,
            height=snapshot.height,
            supply=snapshot.supply,
            supply_holds=snapshot.supply_holds,
            plots=sum(miner.plots_active for miner in snapshot.miners),
            shards=sum(miner.shards for miner in snapshot.miners),
            audits=snapshot.audits(),
        )

    def close(self) -> None:
        """Nothing to restore."""

    def _emit(self, **document: object) -> None:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


class LineView:
    """A line for each thing that happens; one for each epoch."""

    def __init__(self, console: RichConsole) -> None:
        self._console = console
        self._epoch = -1

    def started(self, child: Child) -> None:
        """Name and address."""
        self.say(f"{child.name:<12} {child.url}")

    def say(self, text: str) -> None:
        """The text with the time of day."""
        line = f"{time.strftime('%H:%M:%S')} {text}"
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)

    def crashed(self, child: Child) -> None:
        """The obituary, marked so that it cannot be missed."""
        self.say(f"CRASHED: {child.obituary()}")

    def show(self, snapshot: Snapshot) -> None:
        """A summary when a new epoch has begun."""
        if snapshot.epoch != self._epoch:
            self._epoch = snapshot.epoch
            self.say(summary(snapshot))

    def close(self) -> None:
        """Nothing to restore."""


class LiveView(LineView):
    """A table that is redrawn in place, with the lines of `LineView` scrolling above it."""

    def __init__(self, console: RichConsole) -> None:
        super().__init__(console)
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        """Redraw the table."""
        self._live.update(Group(Text(summary(snapshot)), table(snapshot)), refresh=True)

    def close(self) -> None:
        """Stop redrawing; the last table stays on the screen."""
        self._live.stop()


def view_for(*, as_json: bool, console: RichConsole) -> UpView:
    """The view that suits the place."""
    if as_json:
        return JsonView()
    return LiveView(console) if console.is_terminal else LineView(console)


def summary(snapshot: Snapshot) -> str:
    """One line about the whole network."""
    alive = [miner for miner in snapshot.miners if miner.running]
    supply = "supply adds up" if snapshot.supply_holds else "SUPPLY DOES NOT ADD UP"
    return (
        f"epoch {snapshot.epoch} ({snapshot.seconds_left} s left)  height {snapshot.height}  "
        f"miners {len(alive)}/{len(snapshot.miners)}  "
        f"plots {sum(m.plots_active for m in alive)} of {sum(m.plots for m in alive)} proven  "
        f"shards {sum(m.shards for m in alive)}  {supply}"
    )


def table(snapshot: Snapshot) -> Table:
    """A row for each miner."""
    columns = ("miner", "plots", "space MiB", "MiB/s", "shards", "stored MiB", "audits", "coins")
    drawn = Table(*columns, "address", box=None, pad_edge=False)
    for miner in snapshot.miners:
        drawn.add_row(*_cells(miner), style=None if miner.running else "red")
    return drawn


def _cells(miner: MinerState) -> tuple[str, ...]:
    bad = sum(count for outcome, count in miner.audits.items() if outcome != "passed")
    return (
        miner.name if miner.running else f"{miner.name} (down)",
        f"{miner.plots_active}/{miner.plots}" + (f" +{miner.plotting}" if miner.plotting else ""),
        f"{miner.space_bytes / _MIB:.0f}",
        f"{miner.bandwidth / _MIB:.1f}",
        str(miner.shards),
        f"{miner.stored_bytes / _MIB:.1f}",
        f"{miner.audits.get('passed', 0)} ok" + (f", {bad} not" if bad else ""),
        f"{miner.rewards / _COIN:.3f}",
        miner.url,
    )
