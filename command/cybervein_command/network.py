"""`miners`, `deals`, `status`: what the super node says."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import typer
from cybervein_client.client import AsyncClient
from cybervein_client.lifetimes import Life, date_text
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.signing import parse_address
from cybervein_runtime.console import shortened
from cybervein_runtime.usage import given
from rich.markup import escape
from rich.table import Table

from cybervein_command.context import console_of, decimals_of, with_client
from cybervein_command.words import outlook_lines

_MINER_COLUMNS = {
    "address": "miner",
    "state": "state",
    "plots_active": "plots",
    "held_kib": "held KiB",
    "bytes_per_second": "MiB/s",
    "rewards": "rewards",
    "fees": "fees",
}
_DEAL_COLUMNS = {
    "deal": "deal",
    "state": "state",
    "health": "health",
    "kib": "KiB",
    "epochs_left": "epochs\nleft",
    "escrow": "escrow",
    "refunded": "returned",
}
_AMOUNTS = {"rewards", "fees", "escrow", "refunded", "balance"}
_IDENTIFIERS = {"address", "deal"}
_WORDS = {"state", "health"}


def miners(ctx: typer.Context) -> None:
    """List the network's miners."""
    rows = _rows(with_client(ctx, lambda client: client.supernode.miners()))
    shown = [row | {"state": _state(row)} for row in rows]
    console_of(ctx).emit(rows, lambda: _table(shown, _MINER_COLUMNS, decimals_of(ctx)))


def _state(row: dict[str, Any]) -> str:
    if not row["online"]:
        return "[red]away[/]"
    return "[yellow]draining[/]" if row["draining"] else "[green]online[/]"


def deals(
    ctx: typer.Context,
    owner: Annotated[
        str | None, typer.Option(help="Another owner's address; default: this wallet's.")
    ] = None,
) -> None:
    """List deals on the ledger."""
    with given("--owner"):
        if owner:
            parse_address(owner)

    async def ask(client: AsyncClient) -> list[DealDocument]:
        return await client.supernode.deals(owner or client.address)

    found = with_client(ctx, ask)
    rows = [row | {"health": each.standing} for row, each in zip(_rows(found), found, strict=True)]
    shown = [row | {"escrow": ""} if row["state"] == "ended" else row for row in rows]
    console_of(ctx).emit(rows, lambda: _table(shown, _DEAL_COLUMNS, decimals_of(ctx)))


def status(ctx: typer.Context) -> None:
    """Show network, wallet and files at a glance."""
    decimals = decimals_of(ctx)

    async def ask(client: AsyncClient) -> dict[str, Any]:
        network = await client.supernode.network()
        account = await client.account()
        lives = await client.watch.look(client.files())
        count = Counter(life.life for life in lives)
        ends = [life.ends for life in lives if life.ends and life.life is not Life.EXPIRED]
        return {
            "network": {
                "network": network.network,
                "epoch": network.epoch,
                "height": network.height,
            },
            "preset": client.network.genesis.preset.name,
            "super_node": client.supernode.url,
            "address": client.address,
            "balance": account.balance,
            "files": len(lives),
            "bytes": sum(life.file.size or 0 for life in lives),
            "expired": count[Life.EXPIRED],
            "expiring": count[Life.EXPIRING],
            "kept": sum(life.file.keep_epochs > 0 for life in lives),
            "next_end": min(ends, default=None),
            "warnings": outlook_lines(await client.outlook(), decimals),
        }

    result = with_client(ctx, ask, overview=True)
    facts = {key: value for key, value in result.items() if key != "warnings"}
    if result["next_end"] is not None:
        facts["next_end"] = date_text(result["next_end"])
    else:
        facts["next_end"] = "no file is paid for"
    console_of(ctx).emit(result, lambda: _facts(facts, decimals))


def _facts(result: dict[str, Any], decimals: int) -> Table:
    table = Table(box=None, show_header=False)
    for key, value in result.items():
        inner = value.items() if isinstance(value, dict) else ((key, value),)
        for name, fact in inner:
            shown = f"{coins(fact, decimals)} coins" if name in _AMOUNTS else str(fact)
            table.add_row(name.replace("_", " "), shown)
    return table


def _rows(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """What `--json` prints: the documents as they came."""
    rows: list[dict[str, Any]] = msgspec.to_builtins(documents)
    return rows


def _table(rows: list[dict[str, Any]], columns: dict[str, str], decimals: int) -> Table:
    """Chosen columns (heading by JSON field) of JSON rows; everything else is for `--json`.

    Where they do not fit, words are broken and amounts are not: a cut number is another number.
    """
    table = Table(box=None, pad_edge=False)
    for field, heading in columns.items():
        words = field in _WORDS
        right = not words and field not in _IDENTIFIERS
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(heading, no_wrap=not words, overflow="fold", justify=justify)
    for row in rows:
        table.add_row(*(_cell(field, row.get(field, ""), decimals) for field in columns))
    return table


def _cell(field: str, value: object, decimals: int) -> str:
    """One value: amounts in coins, rates in MiB/s, identifiers shortened."""
    if isinstance(value, int):
        if field in _AMOUNTS:
            return coins(value, decimals)
        return f"{value / 2**20:.1f}" if field == "bytes_per_second" else str(value)
    return escape(shortened(str(value))) if field in _IDENTIFIERS else str(value)
