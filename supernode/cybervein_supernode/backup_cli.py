"""`cybervein supernode backup|snapshots|restore`: copies of the ledger, by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError
from cybervein_runtime.network_file import load_network
from cybervein_runtime.usage import given

from cybervein_supernode.backup.keeping import LATEST, network_names, prune, snapshots
from cybervein_supernode.backup.manifest import Manifest
from cybervein_supernode.backup.snapshot import take
from cybervein_supernode.backup.vault import Vault, open_vault
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.restoring import restore as put_back
from cybervein_supernode.serving_cli import Data

if TYPE_CHECKING:
    from cybervein_runtime.console import Console

_Target = Annotated[str, typer.Argument(help="A directory, or s3://BUCKET/PREFIX.")]


def _vault(target: str) -> Vault:
    with given("TARGET"):
        return open_vault(target)


def backup(
    ctx: typer.Context,
    target: _Target,
    data: Data,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Forget all but that many snapshots of this network.")
    ] = None,
) -> None:
    """Take a snapshot of the ledger; the super node may run meanwhile. No key is in it.

    It is verified before it is written and read back afterwards. Copy identity.json apart, once.
    """
    console: Console = ctx.obj
    vault = _vault(target)
    files = SuperNodeHome(data).files(load_network(SuperNodeHome(data).network).genesis)
    made = take(files, vault)
    if keep is not None:
        window = files.genesis.preset.evidence_epochs
        prune(vault, made.network, keep, window, made.taken)
    console.emit(_told(made))


def snapshots_(
    ctx: typer.Context,
    target: _Target,
    network: Annotated[
        Path | None, typer.Option("--network", help="network.json of the one to list.")
    ] = None,
) -> None:
    """List the snapshots that a directory or bucket has, oldest first."""
    console: Console = ctx.obj
    vault = _vault(target)
    only = [cid_text(load_network(network).network)] if network else network_names(vault)
    found = [_told(each) for name in only for each in snapshots(vault, name)]
    console.emit({"vault": vault.what, "snapshots": found})


def restore(  # noqa: PLR0913, PLR0917 -- one parameter per option
    ctx: typer.Context,
    source: _Target,
    data: Data,
    snapshot: Annotated[str, typer.Option(help="Name of the snapshot, or latest.")] = LATEST,
    identity: Annotated[
        Path | None, typer.Option(help="The super node's key, where --data has none.")
    ] = None,
    network: Annotated[
        Path | None, typer.Option("--network", help="network.json that it must be of.")
    ] = None,
    if_absent: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(help="Do nothing if there is a ledger already.")
    ] = False,
) -> None:
    """Put a snapshot back into a directory that has no ledger.

    Blocks after the snapshot are gone, and others will be signed at their heights.
    """
    console: Console = ctx.obj
    home = SuperNodeHome(data)
    if if_absent and home.ledger.exists():
        console.emit({"restored": False, "ledger": str(home.ledger)})
        return
    if network is not None and not network.exists() and not if_absent:
        raise ConflictError(f"{network} does not exist; name a network.json, or leave it out")
    chosen = put_back(_vault(source), home, snapshot=snapshot, identity=identity, pinned=network)
    console.emit({"restored": True, **_told(chosen)})


def _told(manifest: Manifest) -> dict[str, object]:
    return {
        "name": manifest.name,
        "network": manifest.network,
        "taken": manifest.taken,
        "height": manifest.height,
        "epoch": manifest.epoch,
        "app_hash": manifest.app_hash,
        "bytes": manifest.size,
    }
