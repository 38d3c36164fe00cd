"""`miners`, `deals`, `status`: what the super node says."""

from typing import Annotated, Any

import typer
from rich.table import Table

from cybervein_client.cli.context import console_of, with_client
from cybervein_client.client import AsyncClient

_CELL_CHARS_MAX = 48


def commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (miners, deals, status):
        app.command(command.__name__)(command)


def miners(ctx: typer.Context) -> None:
    """List the network's miners."""
    rows = _listed(with_client(ctx, lambda client: client.supernode.get("/miners")), "miners")
    console_of(ctx).emit(rows, lambda: _table(rows))


def deals(
    ctx: typer.Context,
    owner: Annotated[
        str | None, typer.Option(help="Another owner's address; default: this wallet's.")
    ] = None,
) -> None:
    """List deals on the ledger."""

    async def ask(client: AsyncClient) -> Any:  # noqa: ANN401 -- JSON
        return await client.supernode.get("/deals", owner=owner or client.address)

    rows = _listed(with_client(ctx, ask), "deals")
    console_of(ctx).emit(rows, lambda: _table(rows))


def status(ctx: typer.Context) -> None:
    """Show network, wallet and files at a glance."""

    async def ask(client: AsyncClient) -> dict[str, Any]:
        network = await client.supernode.get("/network")
        account = await client.account()
        files = client.files()
        return {
            "network": {key: network.get(key) for key in ("network", "epoch", "height")},
            "preset": client.network.genesis.preset.name,
            "super_node": client.supernode.url,
            "address": client.address,
            "balance": account.balance,
            "files": len(files),
            "bytes": sum(file.size or 0 for file in files),
        }

    result = with_client(ctx, ask)
    console_of(ctx).emit(result, lambda: _facts(result))


def _facts(result: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    for key, value in result.items():
        inner = value.items() if isinstance(value, dict) else ((key, value),)
        for name, fact in inner:
            table.add_row(name, str(fact))
    return table


def _listed(data: Any, key: str) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON
    rows: list[dict[str, Any]] = data.get(key, []) if isinstance(data, dict) else data
    return rows


def _table(rows: list[dict[str, Any]]) -> Table:
    """The plain columns of JSON rows; nested values are for `--json`."""
    columns = [k for k, v in rows[0].items() if not isinstance(v, dict | list)] if rows else []
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(str(row.get(column, ""))[:_CELL_CHARS_MAX] for column in columns))
    return table
