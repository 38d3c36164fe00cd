"""`put`, `get`, `cat`: files and their bytes, to the network and back."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cybervein_protocol.errors import MalformedError
from cybervein_runtime.console import escape
from cybervein_runtime.usage import given

from cybervein_command.context import console_of, with_client
from cybervein_command.keeping import Name
from cybervein_command.listing import file_document
from cybervein_command.ranges import parse_range
from cybervein_command.terms import Duration, Epochs, say_offer, term

if TYPE_CHECKING:
    from cybervein_client.catalogue import FileRow
    from cybervein_client.client import AsyncClient
    from cybervein_client.download import ReadReport
    from cybervein_client.lasting.life import FileLife
    from cybervein_client.lifetimes import NetworkTime
    from cybervein_client.upload import Offer, Source


def put(  # noqa: PLR0913, PLR0917 -- a command's flags
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="File to store, or - for standard input.")],
    name: Annotated[
        str | None, typer.Option(help="Name in the catalogue. Default: the name of the file.")
    ] = None,
    epochs: Epochs = None,
    duration: Duration = None,
    code: Annotated[
        str | None,
        typer.Option(help="k/n: any k of n shards suffice. Default: by the number of live miners."),
    ] = None,
    keep: Annotated[  # noqa: FBT002 -- a command-line flag
        bool, typer.Option("--keep", help="Have `cybervein keep` renew it whenever it ends soon.")
    ] = False,
) -> None:
    """Store a file: encrypted, erasure coded, spread over miners. Run it again to continue.

    Price, duration and end are shown before anything is paid. A file whose deals have ended is
    stored again.
    """
    from cybervein_client.upload import check_name  # noqa: PLC0415 -- help is shown without
    from cybervein_protocol.placement import parse_code  # noqa: PLC0415

    console = console_of(ctx)
    with given("--code"):
        chosen = parse_code(code) if code else None
    wanted, label = term(ctx, epochs, duration), _default_name(source) if name is None else name
    with given("--name"):
        if name is not None:
            check_name(name)
    offers: list[Offer] = []

    def offered(offer: "Offer", time: "NetworkTime") -> None:
        offers.append(offer)
        say_offer(ctx, offer, time)

    with closing(_source(source)) as opened:

        async def store(client: "AsyncClient") -> "tuple[FileLife, dict[str, Any]]":
            row = await client.put(
                opened,
                label,
                epochs=wanted,
                code=chosen,
                keep=keep,
                offered=offered,
                progress=progress,
                note=lambda text: console.say(escape(text)),
            )
            [life] = await client.watch.look([row])
            return life, file_document(row, client.catalogue, life)

        with console.progress(f"put {escape(label)}", opened.size) as progress:
            life, document = with_client(ctx, store)
    price = offers[0].price if offers else 0
    console.emit(document | {"price": price}, lambda: _stored_text(life, new=bool(offers)))


def _stored_text(life: "FileLife", *, new: bool) -> str:
    from cybervein_command.words import until  # noqa: PLC0415 -- see `put`

    row = life.file
    kept = ", kept if `cybervein keep` runs" if row.keep_epochs else ""
    if new:
        return f"stored {row.name} as {row.k}/{row.n} {until(life)}{kept}: {row.cid}"
    return (
        f"{row.name} is stored already, {until(life)}{kept}; nothing was paid, `cybervein renew "
        f"{row.name}` pays for more time: {row.cid}"
    )


def _source(text: str) -> "Source":
    from cybervein_client.upload import FileSource, StreamSource  # noqa: PLC0415 -- see `put`

    return StreamSource(sys.stdin.buffer) if text == "-" else FileSource(Path(text))


def _default_name(source: str) -> str:
    if source == "-":
        raise typer.BadParameter("standard input has no name; give one with --name")
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

    async def fetch(client: "AsyncClient") -> "tuple[FileRow, Path, ReadReport]":
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
    console.emit(result, lambda: f"wrote {destination}: {row.size} bytes")


def cat(
    ctx: typer.Context,
    name: Name,
    span: Annotated[
        str | None,
        typer.Option(
            "--range", help="First and last byte, such as 0-1023; 1024- reads to the end."
        ),
    ] = None,
) -> None:
    """Write a file, or a range of it, to standard output; fetches only what the range needs."""
    with given("--range"):
        start, stop = parse_range(span) if span else (0, None)
    _to_stdout(ctx, name, start, stop)


def _to_stdout(ctx: typer.Context, name: str, start: int, stop: int | None) -> None:
    from cybervein_client.download import ReadReport  # noqa: PLC0415 -- see `put`

    report = ReadReport()

    async def copy(client: "AsyncClient") -> None:
        size = client.stored(name).size or 0
        if start and start >= size:  # as HTTP has it: RFC 9110, 14.1.2
            raise MalformedError(f"{name} has {size} bytes; byte {start} is beyond its end")
        async for data in client.stream(name, start, stop, report):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    with_client(ctx, copy)
    _warn(ctx, report)


def _warn(ctx: typer.Context, report: "ReadReport") -> None:
    """Name the miners whose shards had to be replaced; the read itself is whole."""
    for reason in dict.fromkeys(failure.reason for failure in report.failures):
        console_of(ctx).say(f"[yellow]repaired:[/] {escape(reason)}")
