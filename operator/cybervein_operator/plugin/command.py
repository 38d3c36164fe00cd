"""The command line: `cybervein k8s …` and, as a plug-in of kubectl, `kubectl cybervein …`.

What a command needs is imported when it runs, as help and completion load this module too.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from cybervein_runtime.addresses import check_peer_url
from cybervein_runtime.command_line import carry_out
from cybervein_runtime.console import Console
from cybervein_runtime.usage import given

from cybervein_operator.plugin.options import (
    Context,
    Disk,
    Everywhere,
    Kubeconfig,
    Namespace,
    Timeout,
    console_of,
)
from cybervein_operator.plugin.rolling_commands import pause, restart, resume
from cybervein_operator.plugin.waiting import Patience
from cybervein_operator.plugin.where import Where

k8s = typer.Typer(
    name="k8s",
    help="Look after miners on Kubernetes; also called as `kubectl cybervein`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
disk_app = typer.Typer(help="Change a disk.", no_args_is_help=True)
k8s.add_typer(disk_app, name="disk")


@k8s.command()
def status(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
    everywhere: Everywhere = False,  # noqa: FBT002 -- a flag
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,  # noqa: FBT002
) -> None:
    """Who is not ready and why, is the data safe, does it earn; exit code 1 if any answer is no."""
    from cybervein_operator.plugin.looking import look  # noqa: PLC0415
    from cybervein_operator.plugin.tables import drawn  # noqa: PLC0415

    seen = Where(namespace, kube_context, kubeconfig, everywhere).ask(look)
    console = Console(as_json=True) if as_json else console_of(context)
    console.emit(seen.plain(), lambda: drawn(seen, everywhere=everywhere))
    if any(each.ok is False for each in (seen.ready, seen.safe, seen.earning)):
        raise typer.Exit(1)


@k8s.command()
def drain(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    miner: Annotated[list[str] | None, typer.Argument(help="names of miners: POOL-N")] = None,
    node: Annotated[str, typer.Option(help="all miners of this node")] = "",
    cancel: Annotated[bool, typer.Option(help="take them back into use")] = False,  # noqa: FBT002
    wait: Annotated[bool, typer.Option(help="return when they are stopped")] = True,  # noqa: FBT002
    timeout: Timeout = 0,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Empty miners, whose shards move to others, and stop them; volumes and identities stay."""
    from cybervein_operator.plugin import drains  # noqa: PLC0415

    where, console = Where(namespace, kube_context, kubeconfig), console_of(context)
    if bool(miner) == bool(node):
        raise typer.BadParameter("name miners (POOL-N) or --node NODE, one of the two")
    with given("MINER"):
        for each in miner or ():
            drains.pool_of(each)
    order = drains.Emptying(tuple(miner or ()), node, cancel)
    patience = None if cancel or not wait else Patience(timeout)
    miners, done = where.ask(lambda api: drains.carry_out(api, order, patience, console.say))
    result: dict[str, object] = {"miners": miners, "drain": not cancel}
    if patience is None:
        word = "taken back into use" if cancel else "being drained"
        console.emit(result, lambda: f"{', '.join(miners)}: {word}")
        return
    console.emit(result | {"stopped": True}, lambda: "\n".join(str(each) for each in done))


k8s.command()(restart)
k8s.command()(pause)
k8s.command()(resume)


@disk_app.command("replace")
def replace_disk(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    name: Disk,
    new: Annotated[bool, typer.Option("--new", help="the new disk is in: take it")] = False,  # noqa: FBT002
    timeout: Timeout = 0,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Empty a disk, say when it may be pulled, and with --new take the one that came instead."""
    from cybervein_operator.plugin import disks  # noqa: PLC0415

    where, console = Where(namespace, kube_context, kubeconfig), console_of(context)
    patience = Patience(timeout)
    if not new:
        status, text = where.ask(lambda api: disks.empty(api, name, patience, console.say))
        console.emit({"disk": name, "status": status}, lambda: text)
        if not sys.stdin.isatty() or console.as_json or not typer.confirm("Is the new disk in?"):
            return
    status = where.ask(lambda api: disks.take(api, name, patience, console.say))
    line = f"{name} is in use: disk {status.get('diskId') or '(no id yet)'}"
    console.emit({"disk": name, "status": status}, lambda: line)


@k8s.command("wipe")
def wipe_disk(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    name: Disk,
    confirm: Annotated[str, typer.Option(help="the disk's id, as status tells it")] = "",
    timeout: Timeout = 300,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Delete CyberVein's files on a drained disk, and nothing else on it."""
    from cybervein_operator.plugin import disks  # noqa: PLC0415

    where, console = Where(namespace, kube_context, kubeconfig), console_of(context)
    patience = Patience(timeout)
    status = where.ask(lambda api: disks.wipe(api, name, confirm, patience, console.say))
    console.emit({"disk": name, "status": status}, lambda: f"{name} is wiped")


@k8s.command("support-bundle")
def support_bundle(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="file to write", dir_okay=False)] = None,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
    everywhere: Everywhere = False,  # noqa: FBT002 -- a flag
) -> None:
    """Write resources, events, logs and metrics into a tar.gz; never Secrets."""
    from cybervein_operator.plugin.bundle import collect  # noqa: PLC0415

    path = out or Path(time.strftime("cybervein-support-%Y%m%d-%H%M%S.tar.gz"))
    bundle = Where(namespace, kube_context, kubeconfig, everywhere).ask(collect)
    bundle.write(path)
    result = {"file": str(path), "files": len(bundle.files), "errors": bundle.errors}
    text = f"{path}: {len(bundle.files)} files, {len(bundle.errors)} could not be had"
    console_of(context).emit(result, lambda: f"{text}. Look through it before you send it.")


@k8s.command()
def probe(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="URL that must answer 200")],
    timeout: Timeout = 60,
) -> None:
    """Wait until a URL answers; `helm test` runs it in a pod."""
    from cybervein_operator.plugin.inside import probe as ask  # noqa: PLC0415

    with given("URL"):
        check_peer_url(url)
    ask(url, timeout)
    console_of(context).emit({"url": url, "ok": True}, lambda: f"{url} is well")


@k8s.command()
def crds(
    context: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="apply them, not over newer ones")] = False,  # noqa: FBT002
    kubeconfig: Annotated[Path | None, typer.Option(help="default: the pod's own rights")] = None,
) -> None:
    """Print the CustomResourceDefinitions of this version as a List, or apply them."""
    from cybervein_operator.crd import definitions  # noqa: PLC0415
    from cybervein_operator.plugin.inside import apply_definitions  # noqa: PLC0415

    if not apply:
        document = {"apiVersion": "v1", "kind": "List", "items": definitions()}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    done = Where(kubeconfig=kubeconfig, in_pod=True).ask(apply_definitions)
    console_of(context).emit({"applied": list(done.applied), "newer": done.newer}, done.__str__)


@k8s.callback()
def _root(context: typer.Context) -> None:
    if context.obj is None:
        context.obj = Console()


def main() -> None:
    """`kubectl-cybervein`: every error is one line on standard error."""
    continues = "interrupted; what was asked for continues in the cluster"
    carry_out(lambda: k8s(standalone_mode=False), continues)
