"""`restart`, `pause` and `resume`: how the operator rolls, and whether it does anything at all."""

from typing import Annotated

import typer
from cybervein_runtime.usage import given

from cybervein_operator.plugin.options import (
    Context,
    Kubeconfig,
    Namespace,
    Resource,
    Timeout,
    console_of,
)
from cybervein_operator.plugin.waiting import Patience
from cybervein_operator.plugin.where import Where


def restart(  # noqa: PLR0913, PLR0917 -- one for each option
    context: typer.Context,
    pool: Annotated[str, typer.Argument(help="name of the MinerPool")],
    miner: Annotated[list[str] | None, typer.Argument(help="these alone: POOL-N")] = None,
    wait: Annotated[bool, typer.Option(help="return when they are ready again")] = True,  # noqa: FBT002
    timeout: Timeout = 0,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Restart a pool's miners in turn, each after its proof, outside of a window too."""
    from cybervein_operator.plugin import drains, rolling  # noqa: PLC0415

    where, console = Where(namespace, kube_context, kubeconfig), console_of(context)
    with given("MINER"):
        for each in miner or ():
            drains.pool_of(each)
    patience = Patience(timeout) if wait else None
    done = where.ask(lambda api: rolling.restart(api, pool, miner or (), patience, console.say))
    word = "restarted" if wait else "being restarted"
    console.emit(
        {"pool": pool, "miners": done, "restarted": wait}, lambda: f"{', '.join(done)}: {word}"
    )


def pause(
    context: typer.Context,
    resource: Resource,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Have a pool or network looked at only: nothing of it is changed until it is resumed."""
    _hold(context, resource, Where(namespace, kube_context, kubeconfig), paused=True)


def resume(
    context: typer.Context,
    resource: Resource,
    namespace: Namespace = "",
    kube_context: Context = "",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Have the operator work again on a paused pool or network."""
    _hold(context, resource, Where(namespace, kube_context, kubeconfig), paused=False)


def _hold(context: typer.Context, resource: str, where: Where, *, paused: bool) -> None:
    from cybervein_operator.plugin import rolling  # noqa: PLC0415

    name = where.ask(lambda api: rolling.pause(api, resource, paused=paused))
    word = "is paused" if paused else "is resumed"
    console_of(context).emit({"resource": name, "paused": paused}, lambda: f"{name} {word}")
