"""`cybervein disk add|remove|wipe|list`: change the disks of a running miner."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from cybervein_protocol.api.miner.disks import (
    DiskBody,
    DiskDocument,
    RemovedDocument,
    WipeBody,
    WipedDocument,
)
from cybervein_protocol.errors import UnknownError
from cybervein_runtime.console import confirm, record

from cybervein_miner.cli.call import Data, Identity, RunningMiner
from cybervein_miner.cli.context import console_of
from cybervein_miner.cli.quantities import counted, size
from cybervein_miner.disk.given import place_of

disk_app = typer.Typer(help="Add, remove (drain), wipe and list the disks of a running miner.")


@disk_app.command("list")
def list_disks(context: typer.Context, data: Data, identity: Identity = None) -> None:
    """Show every disk: state, space, plots, shards."""
    disks = _listing(RunningMiner(data, identity))
    console_of(context).emit(disks, lambda: _shown(disks))


@disk_app.command("add")
def add_disk(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Directory on the disk.")],
    data: Data,
    identity: Identity = None,
    as_new: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(help="It is a new disk: plots that are on no disk here are given up.")
    ] = False,
) -> None:
    """Give the miner a directory, have a refused disk checked again, or take a drained one back."""
    body, miner = DiskBody(str(place_of(path)), as_new), RunningMiner(data, identity)
    disk = asyncio.run(miner.ask("POST", "/v1/disks", DiskDocument, body))
    console_of(context).emit(disk, lambda: _shown([disk]))


@disk_app.command("remove")
def remove_disk(  # noqa: PLR0913, PLR0917 -- options of a command
    context: typer.Context,
    disk: Annotated[str, typer.Argument(help="Path or id of the disk.")],
    data: Data,
    identity: Identity = None,
    force: Annotated[bool, typer.Option(help="Give up what it still holds.")] = False,  # noqa: FBT002 -- a flag
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Drain a disk; when nothing on it is needed any more it is `drained`. Its files stay."""
    miner = RunningMiner(data, identity)
    found = _find(_listing(miner), disk)
    if force:
        held = counted(found.shards, "customers' shard")
        confirm(
            f"{found.path} holds {held}; given up, their repair is paid from your bond. "
            "Give them up now?",
            yes=yes,
        )
    route = f"/v1/disks/{found.id}" + ("?force=true" if force else "")
    answer = asyncio.run(miner.ask("DELETE", route, RemovedDocument))
    console_of(context).emit(answer, lambda: _farewell(answer))


@disk_app.command("wipe")
def wipe_disk(
    context: typer.Context,
    disk: Annotated[str, typer.Argument(help="Path or id of the disk.")],
    data: Data,
    confirm: Annotated[str, typer.Option(help="The disk's id, to say that you mean it.")],
    identity: Identity = None,
) -> None:
    """Delete CyberVein's files (plots, shards, marker) of a drained disk, for good."""
    miner = RunningMiner(data, identity)
    found = _find(_listing(miner), disk)
    body, route = WipeBody(v=1, confirm=confirm), f"/v1/disks/{found.id}/wipe"
    answer = asyncio.run(miner.ask("POST", route, WipedDocument, body))
    text = f"{answer.path}: {answer.files} files of {answer.bytes} bytes deleted"
    console_of(context).emit(answer, lambda: text)


def _listing(miner: RunningMiner) -> list[DiskDocument]:
    return asyncio.run(miner.ask("GET", "/v1/disks", list[DiskDocument]))


def _find(disks: list[DiskDocument], name: str) -> DiskDocument:
    for disk in disks:
        if name == disk.id or str(place_of(Path(name))) == disk.path:
            return disk
    known = ", ".join(disk.path for disk in disks)
    raise UnknownError(f"{name} is not a disk of this miner; it has {known or 'none'}")


def disk_text(disk: DiskDocument) -> str:
    """One disk in lines: what it is, where it stands, and the id that `wipe --confirm` wants."""
    room = f"{size(disk.available_bytes)} of {size(disk.capacity_bytes)} available"
    return record(
        disk.path,
        f"{disk.state}, {room}, {counted(disk.plots, 'plot')}, {counted(disk.shards, 'shard')}",
        _left(disk) if disk.leaving else "",
        f"id {disk.id}",
        disk.reason and f"why: {disk.reason}",
    )


def _shown(disks: list[DiskDocument]) -> str:
    return "\n".join(map(disk_text, disks)) or "this miner has no disk"


def _left(disk: DiskDocument) -> str:
    left = disk.remaining
    return f"leaving: {counted(left.plots, 'plot')}, {counted(left.shards, 'shard')} left"


def _farewell(answer: RemovedDocument) -> str:
    if answer.gone:
        return f"{answer.path} is not needed any more; its files stay where they are"
    return (
        f"{answer.path} takes nothing new; {counted(answer.remaining.plots, 'plot')} retire and "
        f"{counted(answer.remaining.shards, 'shard')} stay served until moved"
    )
