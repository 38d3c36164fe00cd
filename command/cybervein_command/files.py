"""`put`, `get`, `cat`, `ls`, `rm`, `renew`, `audit`."""

import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from cybervein_client.audit import ShardCheck
from cybervein_client.catalogue import Catalogue, FileRow
from cybervein_client.client import EPOCHS_DEFAULT, AsyncClient
from cybervein_client.download import ReadReport
from cybervein_client.upload import FileSource, Source, StreamSource
from cybervein_protocol.audit import Outcome
from cybervein_protocol.errors import MalformedError, ProofError
from cybervein_protocol.placement import parse_code
from cybervein_runtime.console import coins, shortened
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cybervein_command.context import console_of, home_of, with_client
from cybervein_command.ranges import parse_range

Name = Annotated[str, typer.Argument(help="Name or CID of a stored file.")]
Epochs = Annotated[int, typer.Option(min=1, help="How many epochs to pay for.")]


def commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (put, get, cat, ls, rm, renew, audit):
        app.command(command.__name__)(command)


def put(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="File to store, or - for standard input.")],
    name: Annotated[str | None, typer.Option(help="Name in the catalogue.")] = None,
    epochs: Epochs = EPOCHS_DEFAULT,
    code: Annotated[
        str | None, typer.Option(help="Any k of n shards suffice: k/n. Default: by live miners.")
    ] = None,
) -> None:
    """Store a file: encrypted, erasure coded, spread over miners. Goes on where it stopped."""
    console = console_of(ctx)
    chosen = parse_code(code) if code else None
    with closing(_source(source)) as opened:
        label = name or _default_name(source)
        with console.progress(f"put {escape(label)}", opened.size) as progress:
            row = with_client(
                ctx,
                lambda client: client.put(
                    opened, label, epochs=epochs, code=chosen, progress=progress
                ),
            )
    described = _described(ctx, row)
    text = Text(f"stored {row.name} as {row.k}/{row.n}: {row.cid}")
    console.emit(described, lambda: text)


def _source(text: str) -> Source:
    return StreamSource(sys.stdin.buffer) if text == "-" else FileSource(Path(text))


def _default_name(source: str) -> str:
    if source == "-":
        raise MalformedError("standard input has no name; give one with --name")
    return Path(source).name


def get(
    ctx: typer.Context,
    name: Name,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="Where to write; - is standard output.")
    ] = None,
    force: Annotated[  # noqa: FBT002 -- a command-line flag
        bool, typer.Option(help="Replace an existing file.")
    ] = False,
) -> None:
    """Read a file back. It appears when every byte was verified; run it again to continue."""
    if out == "-":
        _to_stdout(ctx, name, 0, None)
        return
    console = console_of(ctx)

    async def fetch(client: AsyncClient) -> tuple[FileRow, Path, ReadReport]:
        row = client.stored(name)
        destination = Path(out) if out else Path(Path(row.name).name)
        with console.progress(f"get {escape(row.name)}", row.size) as progress:
            report = await client.get(name, destination, replace=force, progress=progress)
        return row, destination, report

    row, destination, report = with_client(ctx, fetch)
    _warn(ctx, report)
    result = {
        "name": row.name,
        "path": str(destination),
        "size": row.size,
        "failures": [failure.to_json() for failure in report.failures],
    }
    console.emit(result, lambda: Text(f"wrote {destination}: {row.size} bytes"))


def cat(
    ctx: typer.Context,
    name: Name,
    span: Annotated[
        str | None,
        typer.Option("--range", help="First and last byte, as in 0-1023; 1024- is to the end."),
    ] = None,
) -> None:
    """Write a file, or a range of it, to standard output; fetches only what the range needs."""
    start, stop = parse_range(span) if span else (0, None)
    _to_stdout(ctx, name, start, stop)


def _to_stdout(ctx: typer.Context, name: str, start: int, stop: int | None) -> None:
    report = ReadReport()

    async def copy(client: AsyncClient) -> None:
        size = client.stored(name).size or 0
        if start and start >= size:  # as HTTP has it: RFC 9110, 14.1.2
            raise MalformedError(f"{name} has {size} bytes; byte {start} is behind its end")
        async for data in client.stream(name, start, stop, report):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    with_client(ctx, copy)
    _warn(ctx, report)


def _warn(ctx: typer.Context, report: ReadReport) -> None:
    """Name the miners whose shards had to be replaced; the read itself is whole."""
    for reason in dict.fromkeys(failure.reason for failure in report.failures):
        console_of(ctx).say(f"[yellow]repaired:[/] {escape(reason)}")


def ls(ctx: typer.Context) -> None:
    """List the stored files."""
    home = home_of(ctx)
    home.identity()  # a mistyped home has no wallet, and is not a wallet without files
    with closing(Catalogue(home.catalogue_path)) as catalogue:
        rows = catalogue.files()
        described = [_file_json(catalogue, row) for row in rows]

    def table() -> Table:
        made = Table("name", "size", "code", "epochs", "state", "cid", box=None)
        for row in rows:
            size = "" if row.size is None else str(row.size)
            code = f"{row.k}/{row.n}"
            made.add_row(
                escape(row.name), size, code, str(row.epochs), row.state.value, row.cid or ""
            )
        return made

    console_of(ctx).emit(described, table)


def _described(ctx: typer.Context, row: FileRow) -> dict[str, Any]:
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
        "state": row.state.value,
        "created": row.created,
        "deals": [deal.cid for deal in deals],
        "escrow": sum(deal.escrow for deal in deals),
    }


def rm(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[  # noqa: FBT002 -- a command-line flag
        bool, typer.Option("--yes", "-y", help="Do not ask.")
    ] = False,
) -> None:
    """Remove a file for good: ends its deals, deletes its shards, forgets its key."""
    console = console_of(ctx)
    if not yes and not typer.confirm(f"Remove {name} for good?", err=True):
        raise typer.Exit(1)
    missed = with_client(ctx, lambda client: client.remove(name))
    if missed:
        console.say(f"{missed} miners were not reached; they drop the shards when the deal's gone")
    result = {"name": name, "removed": True, "miners_not_reached": missed}
    console.emit(result, lambda: Text(f"removed {name}"))


def renew(ctx: typer.Context, name: Name, epochs: Epochs = EPOCHS_DEFAULT) -> None:
    """Pay for more epochs of a file."""
    escrow = with_client(ctx, lambda client: client.renew(name, epochs))
    result = {"name": name, "epochs": epochs, "escrow": escrow}
    paid = coins(escrow, home_of(ctx).network().genesis.preset.coin_decimals)
    console_of(ctx).emit(result, lambda: Text(f"renewed {name} for {epochs} epochs: {paid} coins"))


def audit(
    ctx: typer.Context,
    name: Name,
    samples: Annotated[int, typer.Option(min=1, max=1024, help="Chunks to read per shard.")] = 4,
) -> None:
    """Check that the miners still hold a file: reads random chunks of every shard."""
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


def _checks_table(checks: list[ShardCheck]) -> Table:
    table = Table("segment", "shard", "miner", "outcome", "reason", box=None)
    for check in checks:
        row = check.to_json()
        miner = shortened(row["miner"] or "-")
        table.add_row(
            str(check.segment), str(check.index), miner, row["outcome"], escape(check.reason[:80])
        )
    return table
