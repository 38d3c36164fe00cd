"""`ls`: the stored files, how long each is paid for, and what has ended."""

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import typer
from cybervein_client.catalogue import Catalogue, FileRow
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.console import escape
from cybervein_runtime.durations import duration_text

from cybervein_command.context import console_of, home_of, say_read_only

if TYPE_CHECKING:
    from cybervein_client.home import Home
    from cybervein_client.lasting.life import FileLife
    from rich.table import Table

_PATIENCE_SECONDS: Final = 10.0
_ESTIMATED: Final = "no super node answers: what is left is estimated by this machine's clock"
_NOTHING: Final = "no file is stored yet; `cybervein put FILE` stores one"
_COLUMNS: Final = ("name", "size", "code", "state", "left", "ends (UTC)")
_STYLES: Final = {"expired": "[red]{}[/]", "expiring": "[yellow]{}[/]"}


def ls(ctx: typer.Context) -> None:
    """List the stored files: how long each is paid for, and what has ended."""
    home = home_of(ctx)
    home.expect_wallet()  # a mistyped home has no wallet, and is not a wallet without files
    say_read_only(ctx)
    with closing(Catalogue(home.catalogue_path)) as catalogue:
        rows = catalogue.files()
        lives, note = _lives(home, catalogue, rows) if rows else ([], "")
        described = [file_document(row, catalogue, _of(lives, row)) for row in rows]
        ended = _ended(catalogue, lives, told=not console_of(ctx).as_json)
    console = console_of(ctx)
    for warning in filter(None, (note, ended)):
        console.say(f"[yellow]warning:[/] {escape(warning)}")
    console.emit(described, lambda: _files_table(described, home) if rows else _NOTHING)
    for row in rows:
        if step := row.state.next_step(row.name):
            console.say(escape(f"{row.name}: {row.state.shown}; {step}"))


def _ended(catalogue: Catalogue, lives: "list[FileLife]", *, told: bool) -> str:
    """The notice of files that have ended, which is `told` where a person asks."""
    expired = [life for life in lives if life.life.value == "expired"]
    if not (expired and told):
        return ""
    from cybervein_client.lasting.notice import remember_told  # noqa: PLC0415 -- as in `_lives`

    from cybervein_command.words import ended_line  # noqa: PLC0415

    remember_told(catalogue, expired)
    return ended_line(expired)


def _lives(home: "Home", catalogue: Catalogue, rows: list[FileRow]) -> "tuple[list[FileLife], str]":
    """The lives of files, and a note on how far they can be relied on."""
    from cybervein_client.lasting.clock import ask_time  # noqa: PLC0415 -- for no file nobody is asked
    from cybervein_client.lasting.life import remember_time, remembered_lives  # noqa: PLC0415

    try:
        now = ask_time(home.network())
        if now is not None:
            remember_time(catalogue, now)
            lives = remembered_lives(catalogue, rows, now)
            if lives is not None:
                return lives, ""
        return _asked(home, catalogue, rows)
    except (CyberVeinError, TimeoutError) as error:
        return [], f"how long files are stored is not known: {error or 'no answer in time'}"


def _asked(home: "Home", catalogue: Catalogue, rows: list[FileRow]) -> "tuple[list[FileLife], str]":
    """What the ledger says, where the catalogue may be behind it."""
    import asyncio  # noqa: PLC0415 -- as above

    from cybervein_client.lasting.ends import EndWatch  # noqa: PLC0415
    from cybervein_client.ledger import CustomersSuperNode  # noqa: PLC0415
    from cybervein_runtime.http_client import SignedClient  # noqa: PLC0415

    async def look() -> "tuple[list[FileLife], str]":
        network = home.network()
        seconds = network.genesis.preset.epoch_seconds
        async with SignedClient(home.identity().keys, trust=network.trust) as http:
            watch = EndWatch(catalogue, CustomersSuperNode(network.url, http), seconds)
            lives = await asyncio.wait_for(watch.look(rows), _PATIENCE_SECONDS)
        return lives, _ESTIMATED if watch.estimated else ""

    return asyncio.run(look())


def _of(lives: "list[FileLife]", row: FileRow) -> "FileLife | None":
    return next((life for life in lives if life.file.id == row.id), None)


def _files_table(described: list[dict[str, Any]], home: "Home") -> "Table":
    from rich.table import Table  # noqa: PLC0415 -- `--json` draws nothing

    rows = [_cells(row, home) for row in described]
    kept = any(row["renews for"] for row in rows)
    headings = [*_COLUMNS, "cid"]
    if kept:  # a time that is cut is another time: what fits least gives way, `--json` has it
        headings = [each for each in _COLUMNS if each != "code"] + ["renews for"]
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        cid, name = heading == "cid", heading == "name"
        table.add_column(
            heading, no_wrap=not (cid or name), overflow="ellipsis" if cid else "fold", min_width=4
        )
    for row in rows:
        table.add_row(*(row[heading] for heading in headings))
    return table


def _cells(row: dict[str, Any], home: "Home") -> dict[str, str]:
    """A file's cells, by heading."""
    from cybervein_client.lifetimes import date_text  # noqa: PLC0415 -- as above

    kept = row["keep_epochs"] and home.network().genesis.preset.epoch_seconds * row["keep_epochs"]
    return {
        "name": escape(row["name"]),
        "size": "" if row["size"] is None else str(row["size"]),
        "code": row["code"],
        "state": _STYLES.get(row["state"], "{}").format(row["state"]),
        "left": "" if row["seconds_left"] is None else duration_text(row["seconds_left"]),
        "ends (UTC)": "" if row["ends"] is None else date_text(row["ends"]).removesuffix(" UTC"),
        "renews for": duration_text(kept) if kept else "",
        "cid": row["cid"] or "",
    }


def file_document(row: FileRow, catalogue: Catalogue, life: "FileLife | None") -> dict[str, Any]:
    """A file of this wallet for `--json`; `ends` in unix seconds, null while it is not known."""
    deals = catalogue.deals(row.id)
    known = life is not None and life.expires is not None
    return {
        "name": row.name,
        "cid": row.cid,
        "size": row.size,
        "code": f"{row.k}/{row.n}",
        "epochs": row.epochs,
        "state": life.life.value if life is not None and known else row.state.shown,
        "ends_epoch": None if life is None else life.expires,
        "ends": None if life is None else life.ends,
        "seconds_left": None if life is None else life.seconds_left,
        "keep_epochs": row.keep_epochs,
        "created": row.created,
        "deals": [deal.cid for deal in deals],
        "escrow": sum(deal.escrow for deal in deals),
    }
