"""`ls`, `rm`, `renew`, `audit`: what is stored already."""

from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cybervein_client.catalogue import Catalogue, FileRow
from cybervein_client.terms import EPOCHS_DEFAULT
from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import ProofError
from cybervein_runtime.console import escape, plain, shortened

from cybervein_command.context import Yes, confirm, console_of, decimals_of, home_of, with_client

if TYPE_CHECKING:
    from cybervein_client.audit import ShardCheck
    from cybervein_client.client import AsyncClient
    from cybervein_client.removal import Removed
    from rich.table import Table

Name = Annotated[str, typer.Argument(help="Name or CID of a stored file.")]
Epochs = Annotated[int, typer.Option(min=1, help="How many epochs to pay for.")]


def ls(ctx: typer.Context) -> None:
    """List the stored files."""
    home = home_of(ctx)
    home.expect_wallet()  # a mistyped home has no wallet, and is not a wallet without files
    with closing(Catalogue(home.catalogue_path)) as catalogue:
        rows = catalogue.files()
        described = [_file_json(catalogue, row) for row in rows]

    def table() -> "Table":
        from rich.table import Table  # noqa: PLC0415 -- `--json` draws nothing

        made = Table("name", "size", "code", "epochs", "state", "cid", box=None)
        for row in rows:
            size = "" if row.size is None else str(row.size)
            code = f"{row.k}/{row.n}"
            made.add_row(
                escape(row.name), size, code, str(row.epochs), row.state.shown, row.cid or ""
            )
        return made

    console_of(ctx).emit(described, table)
    for row in rows:
        if step := row.state.next_step(row.name):
            console_of(ctx).say(escape(f"{row.name} is {row.state.shown}: {step}"))


def described(ctx: typer.Context, row: FileRow) -> dict[str, Any]:
    """A file of this wallet as a document."""
    with closing(Catalogue(home_of(ctx).catalogue_path)) as catalogue:
        return _file_json(catalogue, row)


def _file_json(catalogue: Catalogue, row: FileRow) -> dict[str, Any]:
    deals = catalogue.deals(row.id)
    return {
        "name": row.name,
        "cid": row.cid,
        "size": row.size,
        "code": f"{row.k}/{row.n}",
        "epochs": row.epochs,
        "state": row.state.shown,
        "created": row.created,
        "deals": [deal.cid for deal in deals],
        "escrow": sum(deal.escrow for deal in deals),
    }


def rm(
    ctx: typer.Context,
    name: Name,
    yes: Yes = False,  # noqa: FBT002 -- a command-line flag
) -> None:
    """Remove a file for good: ends its deals, deletes its shards, forgets its key."""
    console = console_of(ctx)

    async def remove(client: "AsyncClient") -> "Removed":
        if not yes:
            back = coins(await client.refund(name), decimals_of(ctx))
            confirm(f"Remove {name} for good? {back} coins come back now.", yes=yes)
        return await client.remove(name)

    done = with_client(ctx, remove)
    if done.miners_not_reached:
        console.say(
            f"{done.miners_not_reached} miners were not reached; they delete the shards once the "
            "deal has ended"
        )
    result = {"name": name, "removed": True, **asdict(done)}
    back = coins(done.refunded, decimals_of(ctx))
    console.emit(result, lambda: plain(f"removed {name}; {back} coins came back"))


def renew(ctx: typer.Context, name: Name, epochs: Epochs = EPOCHS_DEFAULT) -> None:
    """Pay for more epochs of a file."""
    escrow = with_client(ctx, lambda client: client.renew(name, epochs))
    result = {"name": name, "epochs": epochs, "escrow": escrow}
    paid = coins(escrow, decimals_of(ctx))
    console_of(ctx).emit(result, lambda: plain(f"renewed {name} for {epochs} epochs: {paid} coins"))


def audit(
    ctx: typer.Context,
    name: Name,
    samples: Annotated[
        int, typer.Option(min=1, max=1024, help="Chunks to read of each shard.")
    ] = 4,
) -> None:
    """Check that the miners still hold a file: reads random chunks of every shard."""
    from cybervein_protocol.audit import Outcome  # noqa: PLC0415 -- `ls` audits nothing

    checks = with_client(ctx, lambda client: client.audit(name, samples))
    outcomes = Counter(check.outcome.value for check in checks)
    result = {
        "name": name,
        "outcomes": {outcome.value: outcomes[outcome.value] for outcome in Outcome},
        "shards": [check.to_json() for check in checks],
    }
    console_of(ctx).emit(result, lambda: _checks_table(checks))
    if outcomes[Outcome.WRONG.value]:
        raise ProofError(f"{outcomes[Outcome.WRONG.value]} shards of {name} are wrong or lost")


def _checks_table(checks: "list[ShardCheck]") -> "Table":
    from rich.table import Table  # noqa: PLC0415 -- `--json` draws nothing

    table = Table("segment", "shard", "miner", "outcome", "reason", box=None)
    for check in checks:
        row = check.to_json()
        miner = shortened(row["miner"] or "-")
        table.add_row(
            str(check.segment), str(check.index), miner, row["outcome"], escape(check.reason[:80])
        )
    return table
