"""A miner's status as a person reads it, on 80 columns; a wish stands beside the ledger's fact."""

from cybervein_protocol.amounts import coins
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.status import LedgerDocument, ReachDocument, StatusDocument
from cybervein_protocol.names import MIB
from cybervein_runtime.durations import duration_text
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cybervein_miner.cli.next_step import next_step
from cybervein_miner.cli.quantities import counted, size


def screen(told: StatusDocument) -> RenderableType:
    """Facts, disks, and the next step."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column(overflow="fold")
    for name, value in (*_who(told), *_plots(told), *_pay(told)):
        facts.add_row(name, Text(value))
    why = [Text(f"{disk.path}: {disk.reason}") for disk in told.disks if disk.reason]
    return Group(facts, "", _disks(told.disks), *why, "", Text(f"next: {next_step(told)}"))


def _who(told: StatusDocument) -> list[tuple[str, str]]:
    ledger = told.ledger if isinstance(told.ledger, LedgerDocument) else None
    both = [
        (name, beside(getattr(told, name), getattr(ledger, name) if ledger else None))
        for name in ("url", "payout", "group", "owner")
    ]
    since = f"since epoch {ledger.registered_epoch}" if ledger else "not yet"
    shown = [(name, text) for name, text in both if text]
    running = [("instance", told.instance)] * bool(told.instance)
    rows = [
        ("address", told.address),
        *running,
        *shown,
        ("registered", since),
        ("reached", _reach(told)),
    ]
    return rows + [("problem", told.problem)] * bool(told.problem)


def beside(wish: str, fact: str | None) -> str:
    """A wish, and the ledger's value where that is another."""
    return wish if fact in {None, wish} else f"{wish or '(none)'} (the ledger has {fact or 'none'})"


def _reach(told: StatusDocument) -> str:
    reach = told.reach
    if not isinstance(reach, ReachDocument) or reach.reached is None:
        return "the super node has not tried yet"
    return "yes, by the super node" if reach.reached else f"no: {reach.reason}"


def _plots(told: StatusDocument) -> list[tuple[str, str]]:
    states = [f"{count} {state}" for state, count in told.plots_by_state.items() if count]
    plots = f"{told.plots} of {told.plots_wanted}: {', '.join(states) or 'none yet'}"
    rows = [("plots", plots)]
    if told.plotting_now:
        share = sum(each.share for each in told.plotting_now) / len(told.plotting_now)
        left = told.plotting_left_seconds
        rest = (
            f", about {duration_text(left)} until all are made" if isinstance(left, float) else ""
        )
        rows.append(("plotting", f"{len(told.plotting_now)} now, {share:.0%} done{rest}"))
    proofs, last = told.proofs, told.last_proved_epoch
    counts = f"{proofs.accepted} accepted, {proofs.refused} refused, {proofs.missed} missed"
    when = "none yet" if last is None else f"the last in epoch {last}"
    rows.append(("proofs", f"{counts} since the start; {when}, {told.epoch} is open"))
    rows.append(("shards", f"{told.shards}, {size(told.shard_bytes)}"))
    if isinstance(told.orders_unknown_until, int):
        until = told.orders_unknown_until
        rows.append(
            ("orders", f"the journal is new: bytes used before are unknown to epoch {until}")
        )
    return rows


def _pay(told: StatusDocument) -> list[tuple[str, str]]:
    ledger = told.ledger
    if not isinstance(ledger, LedgerDocument):
        return []
    places, by = ledger.coin_decimals, counted(ledger.per_day_epochs, "epoch")
    a_day = (
        "no epoch was paid yet"
        if ledger.per_day is None
        else f"{coins(ledger.per_day, places)} coins a day (by {by})"
    )
    bond = f"{coins(ledger.bonded, places)} coins, {coins(ledger.bond_due, places)} still due"
    space = f"{size(ledger.space_bytes)} measured of {size(told.plot_bytes)} plotted"
    return [
        ("space", space),
        ("bandwidth", f"{ledger.bytes_per_second / MIB:.2f} MiB/s measured"),
        ("earns", a_day),
        ("earned", f"{coins(ledger.rewards, places)} by proofs, {coins(ledger.fees, places)} fees"),
        ("bond", f"{bond}; {coins(ledger.penalties, places)} lost to penalties"),
    ]


def _disks(disks: list[DiskDocument]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("disk", overflow="fold")
    for name in ("state", "size", "free", "plots", "shards"):
        table.add_column(name, no_wrap=True, justify="left" if name == "state" else "right")
    for disk in disks:
        table.add_row(
            Text(disk.path),
            "leaving" if disk.leaving else _state(disk),
            size(disk.capacity_bytes),
            size(disk.free_bytes),
            str(disk.plots),
            str(disk.shards),
        )
    return table


def _state(disk: DiskDocument) -> str:
    """In a word: what keeps a ready disk from being of use comes first."""
    if disk.state is not DiskState.READY:
        return disk.state
    return "late" if disk.late else disk.no_room or disk.state
