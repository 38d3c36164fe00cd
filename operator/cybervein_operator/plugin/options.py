"""Options that the commands have in common, and where their results go."""

from pathlib import Path
from typing import Annotated

import typer
from cybervein_runtime.console import Console

Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="namespace; default: the kubeconfig's")
]
Context = Annotated[str, typer.Option("--context", help="context of the kubeconfig")]
Kubeconfig = Annotated[
    Path | None, typer.Option(help="default: KUBECONFIG, or else ~/.kube/config, as for kubectl")
]
Timeout = Annotated[float, typer.Option(min=0, help="seconds to wait; 0 waits without limit")]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="every namespace")]
Resource = Annotated[str, typer.Argument(help="minerpool/NAME or network/NAME, or a bare name")]
Disk = Annotated[str, typer.Argument(help="name of the MinerDisk: POOL-N-DISK")]


def console_of(context: typer.Context) -> Console:
    """Where the command's results go."""
    console: Console = context.obj
    return console
