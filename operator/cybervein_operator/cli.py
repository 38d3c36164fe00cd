"""`cybervein operator run`."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cybervein_runtime.addresses import PORT_MAX
from cybervein_runtime.logs import configure_logs

from cybervein_operator.settings import RunSettings

operator = typer.Typer(no_args_is_help=True, help="Run CyberVein on Kubernetes.")
_DEFAULT = RunSettings()


@operator.callback()
def group() -> None:
    """Run CyberVein on Kubernetes."""


@operator.command()
def run(  # noqa: PLR0913, PLR0917 -- one parameter per option
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Log in with this file instead of the pod's ServiceAccount.")
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(help="Look after this namespace only; repeatable. Default: all."),
    ] = None,
    own_namespace: Annotated[
        str, typer.Option(envvar="POD_NAMESPACE", help="Namespace of the operator's own objects.")
    ] = "",
    release: Annotated[
        str, typer.Option(help="Which installation this is; its replicas take turns.")
    ] = _DEFAULT.release,
    pod_name: Annotated[
        str,
        typer.Option(envvar="POD_NAME", help="Which replica this is. Default: the host's name."),
    ] = "",
    lease_seconds: Annotated[
        int,
        typer.Option(min=3, max=3600, help="After so long without a sign, another may take over."),
    ] = _DEFAULT.lease_seconds,
    image: Annotated[
        str, typer.Option(envvar="CYBERVEIN_IMAGE", help="Image of pods whose spec names none.")
    ] = _DEFAULT.image,
    image_pull_secret: Annotated[
        list[str] | None,
        typer.Option(help="Secret that pods pull with where their spec names none; repeatable."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address for probes and metrics.")] = _DEFAULT.host,
    port: Annotated[
        int, typer.Option(min=0, max=PORT_MAX, help="Port for probes and metrics.")
    ] = _DEFAULT.port,
    miner_url: Annotated[
        str,
        typer.Option(
            help="How miners are reached: {miner}, {namespace}, {pool} and {ordinal} are filled in."
        ),
    ] = _DEFAULT.miner_url,
    supernode_url: Annotated[
        str,
        typer.Option(help="How super nodes are reached, likewise with {network} and {namespace}."),
    ] = "",
    polls_per_second: Annotated[
        float, typer.Option(min=0.1, help="Miners polled per second, in all.")
    ] = _DEFAULT.polls_per_second,
    poll_seconds: Annotated[
        float,
        typer.Option(min=0.2, help="Seconds between two polls of a miner, while there are few."),
    ] = _DEFAULT.poll_seconds,
    workers: Annotated[
        int, typer.Option(min=1, help="Objects reconciled at the same time.")
    ] = _DEFAULT.workers,
    canary_seconds: Annotated[
        float, typer.Option(min=1, help="Seconds between two checks that watches deliver.")
    ] = _DEFAULT.canary_seconds,
    log_json: Annotated[bool, typer.Option(help="Logs as JSON lines.")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Run the operator until SIGTERM or Ctrl-C."""
    names = ("miner", "namespace", "pool", "ordinal")
    _check_template("--miner-url", miner_url, names)
    _check_template("--supernode-url", supernode_url, ("network", "namespace"))
    configure_logs("operator", as_json=log_json or not sys.stderr.isatty())
    settings = RunSettings(
        kubeconfig=kubeconfig,
        namespaces=tuple(dict.fromkeys(namespace or ())),
        own_namespace=own_namespace,
        release=release,
        pod=pod_name,
        lease_seconds=lease_seconds,
        image=image,
        pull_secrets=tuple(dict.fromkeys(image_pull_secret or ())),
        host=host,
        port=port,
        miner_url=miner_url,
        supernode_url=supernode_url,
        polls_per_second=polls_per_second,
        poll_seconds=poll_seconds,
        workers=workers,
        canary_seconds=canary_seconds,
    )
    asyncio.run(_serve(settings))


def _check_template(option: str, text: str, names: Sequence[str]) -> None:
    try:
        text.format(**dict.fromkeys(names, ""))
    except (LookupError, ValueError, AttributeError) as error:
        known = ", ".join(f"{{{name}}}" for name in names)
        why = f"{text!r}: expected a URL in which only {known} are filled in"
        raise typer.BadParameter(why, param_hint=[option]) from error


async def _serve(settings: RunSettings) -> None:
    # kopf and aiohttp take a while to import; other commands do not wait for them.
    from cybervein_operator.appliance import Appliance  # noqa: PLC0415 -- see above
    from cybervein_operator.cluster.login import find_login  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await Appliance(settings, await find_login(settings.kubeconfig)).run(stop)
