"""`cybervein disk add|remove|list`: change the disks of a running miner."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from cybervein_protocol.errors import UnavailableError, UnknownError
from cybervein_protocol.names import GIB
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import load_identity
from rich.table import Table

from cybervein_miner.cli.context import console_of

Data = Annotated[Path, typer.Option(help="the miner's --data directory")]
disk_app = typer.Typer(help="Add, remove and list the disks of a running miner.")
_TIMEOUT_SECONDS = 120


@disk_app.command("list")
def list_disks(context: typer.Context, data: Data) -> None:
    """Show every disk: state, space, plots, shards."""
    disks = asyncio.run(_call(data, "GET", "/v1/disks"))
    console_of(context).emit(disks, lambda: _table(disks))


@disk_app.command("add")
def add_disk(context: typer.Context, path: Path, data: Data) -> None:
    """Give a directory to the miner, or have a refused disk checked again."""
    body = json.dumps({"path": str(path.resolve())}).encode()
    disk = asyncio.run(_call(data, "POST", "/v1/disks", body))
    console_of(context).emit(disk, lambda: _table([disk]))


@disk_app.command("remove")
def remove_disk(
    context: typer.Context,
    disk: Annotated[str, typer.Argument(help="path or id of the disk")],
    data: Data,
    force: Annotated[bool, typer.Option(help="give up what it still holds")] = False,  # noqa: FBT002 -- a flag
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Stop using a disk; it is given up when nothing is left on it. Its files stay."""
    found = _find(asyncio.run(_call(data, "GET", "/v1/disks")), disk)
    if force and not yes:
        typer.confirm(
            f"{found['path']} holds {found['shards']} shards of customers; giving them up costs "
            "their repair from your bond. Give up now?",
            abort=True,
        )
    query = "?force=true" if force else ""
    answer = asyncio.run(_call(data, "DELETE", f"/v1/disks/{found['id']}{query}"))
    console_of(context).emit(answer, lambda: _farewell(answer))


def _find(disks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for disk in disks:
        if name == disk["id"] or str(Path(name).resolve()) == disk["path"]:
            return disk
    known = ", ".join(disk["path"] for disk in disks)
    raise UnknownError(f"{name} is not a disk of this miner; it has {known or 'none'}")


async def _call(data: Path, method: str, path: str, body: bytes | None = None) -> Any:  # noqa: ANN401 -- JSON
    run_file = data / "run.json"
    if not run_file.exists():
        raise UnavailableError(f"no miner runs on {data}; start it with cybervein mine")
    url = json.loads(run_file.read_text())["url"]
    identity = load_identity(data / "identity.json")
    async with SignedClient(identity.keys) as client:
        answer = await client.request(
            method,
            f"{url}{path}",
            body=body,
            content_type="application/json",
            timeout_seconds=_TIMEOUT_SECONDS,
        )
    return answer.json()


def _table(disks: list[dict[str, Any]]) -> Table:
    table = Table("disk", "state", "capacity", "available", "plots", "shards", "why")
    for disk in disks:
        table.add_row(
            disk["path"],
            "leaving" if disk["leaving"] else disk["state"],
            f"{disk['capacity_bytes'] / GIB:.1f} GiB",
            f"{disk['available_bytes'] / GIB:.1f} GiB",
            str(disk["plots"]),
            str(disk["shards"]),
            disk["reason"],
        )
    return table


def _farewell(answer: dict[str, Any]) -> str:
    if answer["gone"]:
        return f"{answer['path']} is given up; its files stay where they are"
    return (
        f"{answer['path']} takes nothing new; {answer['plots']} plots retire and "
        f"{answer['shards']} shards stay served until they are moved"
    )
