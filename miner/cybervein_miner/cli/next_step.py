"""What a miner needs of its owner, in one line: pure, from its status."""

from collections.abc import Iterator
from typing import Final

from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.status import LedgerDocument, StatusDocument
from cybervein_runtime.durations import duration_text

NOTHING: Final = "nothing to do: it proves and earns"
_FINE: Final = ("ready", "drained")
_GONE: Final = "missing"


def next_step(told: StatusDocument) -> str:
    """The first thing that keeps this miner from earning, and what to do about it."""
    return next(_steps(told), NOTHING)


def _steps(told: StatusDocument) -> Iterator[str]:
    """In this order: what must be done first comes first."""
    if told.draining:
        yield _draining(told)
    bad = [disk for disk in told.disks if disk.state not in _FINE]
    if len(bad) == len(told.disks):
        yield f"mount or mend a disk: {_disk(bad)}"
    if not told.super_node_reachable:
        yield "wait for the super node, which does not answer; check this machine's network"
    if told.problem:
        yield f"mend this: {told.problem}"
    if bad:
        yield f"look at a disk: {_disk(bad)}; the others keep working"
    if not told.registered:
        yield "wait: the miner registers as soon as the super node answers"
    yield from _plots(told)
    if isinstance(told.ledger, LedgerDocument):
        yield from _measured(told, told.ledger)


def _draining(told: StatusDocument) -> str:
    if told.drained:
        return "drained: stop it whenever you like, or stay: cybervein drain --cancel"
    held = "some" if told.held_shards is None else told.held_shards
    why = f" ({told.drain.blocked_by})" if told.drain.blocked_by else ""
    return f"wait: it drains, {held} shards still have to leave{why}"


def _disk(bad: list[DiskDocument]) -> str:
    if not bad:
        return "no disk was given; cybervein disk add PATH"
    first = bad[0]
    unsaid = first.state == _GONE and "`cybervein disk" not in first.reason
    gone = "; if it is lost for good: cybervein disk remove --force" if unsaid else ""
    return f"{first.path} is {first.state}: {first.reason}{gone}"


def _plots(told: StatusDocument) -> Iterator[str]:
    states = told.plots_by_state
    if not told.plots_wanted and not told.plots:
        yield "give it plots: --plots or --fill, or a disk with more room"
    if told.plots < told.plots_wanted:
        left = told.plotting_left_seconds
        about = f", about {duration_text(left)} left" if isinstance(left, float) else ""
        yield f"wait: {told.plots} of {told.plots_wanted} plots are made{about}"
    if any(states.get(name) for name in ("made", "sent", "pending")):
        yield "wait: new plots count after their commit audit, an epoch or two from now"
    if states.get("void"):
        yield f"{states['void']} plots are void, as their batch failed; the log says why"
    if told.plots and told.last_proved_epoch is None:
        yield "wait: the first proof is sent when the next epoch begins"


def _measured(told: StatusDocument, ledger: LedgerDocument) -> Iterator[str]:
    if told.plots and not (ledger.space_bytes and ledger.bytes_per_second):
        yield "wait: space and bandwidth are measured within an epoch or two"
    if told.plots and not ledger.per_day:
        yield "wait: the first reward comes when an epoch closes after that"
