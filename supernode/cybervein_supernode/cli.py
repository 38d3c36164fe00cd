"""Subcommands of `cybervein`: `supernode init|run|backup|restore` and `chain verify|export`."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import StorageError
from cybervein_protocol.signing import address
from cybervein_runtime.addresses import check_published_url
from cybervein_runtime.files import read_limited
from cybervein_runtime.network_file import load_network
from cybervein_runtime.trust import context_of
from cybervein_runtime.usage import given

from cybervein_supernode import backup_cli, serving_cli
from cybervein_supernode.chain.database import LEDGER
from cybervein_supernode.chain.export import export_chain
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.founding import (
    DEFAULT_URL,
    found,
    founded,
    guard,
    numbers_of,
    parse_fund,
)
from cybervein_supernode.serving_cli import Data
from cybervein_supernode.verify.replaying import Verified, verify_data, verify_export

if TYPE_CHECKING:
    from cybervein_runtime.console import Console

_CA_BYTES_MAX = 64 * 1024
supernode = typer.Typer(no_args_is_help=True, help="Run a super node.")
chain = typer.Typer(no_args_is_help=True, help="Check or export a chain.")


@supernode.command()
def init(  # noqa: PLR0913, PLR0917 -- one parameter per option
    ctx: typer.Context,
    data: Data,
    preset: Annotated[str, typer.Option(help="test, local or main.")] = "local",
    epoch_seconds: Annotated[
        int | None, typer.Option(min=2, help="Length of an epoch in seconds, if not the preset's.")
    ] = None,
    url: Annotated[str, typer.Option(help="Where others reach this node.")] = DEFAULT_URL,
    fund: Annotated[
        list[str] | None,
        typer.Option(help="Coins that the genesis gives: ADDRESS=VEINS; repeatable."),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="PEM of the private authority behind --url.")
    ] = None,
    if_absent: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(help="Do nothing if this same network is there already.")
    ] = False,
    identity: Annotated[
        Path | None,
        typer.Option(
            envvar="CYBERVEIN_FOUNDING_KEY",
            help="Key to found with, kept elsewhere; used if it is there.",
        ),
    ] = None,
    pinned: Annotated[
        Path | None,
        typer.Option(
            envvar="CYBERVEIN_PINNED_NETWORK",
            help="network.json of what was founded; if it is there, found no other.",
        ),
    ] = None,
) -> None:
    """Found a network: identity, genesis, network.json."""
    console: Console = ctx.obj
    home = SuperNodeHome(data)
    guard(home, identity, pinned)
    with given("--preset"):
        numbers = numbers_of(preset, epoch_seconds)
    with given("--url"):
        check_published_url(url)
    with given("--fund"):
        funds = [parse_fund(text) for text in fund or ()]
    there = founded(home, numbers, url) if if_absent else None
    pem = _authority(ca) if ca else ""
    file = there or found(home, numbers, url=url, funds=funds, now=int(time.time()), ca=pem)
    document = {
        "founded": there is None,
        "network": cid_text(file.network),
        "address": address(file.super_nodes[0][1]),
        "network_file": str(home.network),
        "preset": preset,
    }
    console.emit(document)


def _authority(path: Path) -> str:
    pem = read_limited(path, _CA_BYTES_MAX).decode(errors="replace")
    context_of(pem, f"--ca {path}")
    return pem


supernode.command()(serving_cli.run)
supernode.command()(backup_cli.backup)
supernode.command("snapshots")(backup_cli.snapshots_)
supernode.command()(backup_cli.restore)


@chain.command()
def verify(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", help="A super node's directory.")] = None,
    export: Annotated[Path | None, typer.Option("--export", help="An exported chain.")] = None,
) -> None:
    """Execute every block again and compare every hash.

    Space proofs and audits whose evidence is kept are judged again (re-proved); those of
    other epochs rest on the super node's signature, as bandwidth and plot verdicts always do.
    """
    console: Console = ctx.obj
    console.emit(_json(_verify(data, export)))


@chain.command("export")
def export_(
    ctx: typer.Context,
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
) -> None:
    """Write all blocks and units to a file (CARv1)."""
    console: Console = ctx.obj
    with out.open("xb") as file:
        try:
            with _view(data) as view:
                size = sum(file.write(part) for part in export_chain(view))
                file.flush()
        except BaseException:
            out.unlink()  # half of a chain is none
            raise
    console.emit({"file": str(out), "bytes": size})


def _verify(data: Path | None, export: Path | None) -> Verified:
    if (data is None) == (export is None):
        raise typer.BadParameter("give either --data or --export")
    if data is not None:
        with _view(data) as view:
            return verify_data(view, SuperNodeHome(data).evidence)
    assert export is not None  # noqa: S101 -- one of the two is given
    return verify_export(export, None)


@contextmanager
def _view(data: Path) -> Iterator[LedgerView]:
    """The ledger of a directory. Raises StorageError naming the file if it is damaged."""
    home = SuperNodeHome(data)
    genesis = load_network(home.network).genesis
    try:
        yield LedgerView(home.ledger, genesis)
    except sqlite3.Error as error:
        raise StorageError(f"ledger {home.ledger}: {error}; {LEDGER.rescue}") from error


def _json(result: Verified) -> dict[str, object]:
    return {
        "network": cid_text(result.network),
        "height": result.height,
        "epochs": result.epochs,
        "units": result.units,
        "voids": result.voids,
        "app_hash": result.app_hash,
        "epochs_reproved": result.reproved,
        "epochs_attested": result.attested,
    }
