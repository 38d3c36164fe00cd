"""`cybervein miner status`: what a person wants to know of the miner on this machine."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.console import Console
from cybervein_runtime.http_client import SignedClient
from msgspec import to_builtins
from rich.live import Live

from cybervein_miner.cli.context import console_of
from cybervein_miner.cli.next_step import next_step
from cybervein_miner.cli.screen import screen
from cybervein_miner.sidecar.announced import MINER_PORT, announced_url

LOOK_SECONDS: Final = 2.0
_TIMEOUT_SECONDS: Final = 10.0

miner_app = typer.Typer(help="Look at the miner that runs on this machine.")


@miner_app.callback()
def _group() -> None:
    """More than one command will be here: `status` stays a word of its own."""


@miner_app.command("status")
def status(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="CYBERVEIN_DATA", help="The miner's --data (default: who listens on 7070)."
        ),
    ] = None,
    as_json: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option("--json", help="One JSON document; with --watch one a line.")
    ] = False,
    watch: Annotated[bool, typer.Option(help="Show it live until Ctrl-C.")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Show address, reach, disks, plots, proofs, earnings per day, and what to do next."""
    console = Console(as_json=True) if as_json else console_of(context)
    miner = MinerHere(data)
    if not watch:
        _show(console, asyncio.run(miner.ask()))
    elif console.as_json:
        asyncio.run(_lines(console, miner))
    else:
        asyncio.run(_live(console, miner))


@dataclass(frozen=True, slots=True)
class MinerHere:
    """The miner that runs on `data`, or the one at this machine's default address."""

    data: Path | None
    default: str = f"http://127.0.0.1:{MINER_PORT}"

    async def ask(self) -> StatusDocument:
        """`GET /v1/status`; nobody needs a key for it. Raises UnavailableError."""
        url = f"{announced_url(self.data) if self.data else self.default}/v1/status"
        try:
            body = await _body(url)
        except UnavailableError as error:
            if self.data:
                raise
            raise UnavailableError(
                f"no miner answers at {self.default}: start one, or name its --data"
            ) from error
        return decode_document(body, StatusDocument, url, STATUS_BYTES_MAX)


async def _body(url: str) -> bytes:
    async with SignedClient() as client:
        answer = await client.request(
            "GET",
            url,
            timeout_seconds=_TIMEOUT_SECONDS,
            max_response_bytes=STATUS_BYTES_MAX,
        )
    return answer.body


def _show(console: Console, told: StatusDocument) -> None:
    document = {**to_builtins(told), "next": next_step(told)}
    console.emit(document, lambda: screen(told))


async def _lines(console: Console, miner: MinerHere) -> None:
    while True:
        _show(console, await miner.ask())
        await asyncio.sleep(LOOK_SECONDS)


async def _live(console: Console, miner: MinerHere) -> None:
    """A miner under restart is waited for; the first question must be answered."""
    with Live(screen(await miner.ask()), console=console.out, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                live.update(screen(await miner.ask()), refresh=True)
            except UnavailableError as error:
                live.update(f"the miner does not answer: {error}", refresh=True)
