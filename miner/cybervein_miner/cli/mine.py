"""`cybervein mine`: join a network and mine until told to stop."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cybervein_protocol.errors import LimitError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import parse_address
from cybervein_runtime.addresses import PORT_MAX
from cybervein_runtime.usage import given

from cybervein_miner.api.throttle import RATE_MIN
from cybervein_miner.cli.context import check_urls
from cybervein_miner.node.settings import Settings, default_threads
from cybervein_miner.plot.policy import Wish
from cybervein_miner.sidecar.announced import MINER_PORT

_LABEL_CHARS_MAX: Final = 64  # as the ledger has it


def _option(name: str, text: str, **more: Any) -> Any:  # noqa: ANN401 -- typer's own option
    """An option that can come from the environment too.

    No name ends where Kubernetes sets variables of its own for a Service called `cybervein`.
    """
    return typer.Option(envvar=f"CYBERVEIN_{name}", help=text, **more)


def mine(  # noqa: PLR0913, PLR0917 -- options of a command
    network: Annotated[Path, _option("NETWORK", "network.json of the network to join.")],
    data: Annotated[Path, _option("DATA", "Keys and journal of this miner.")],
    disk: Annotated[list[Path], _option("DISK", "Directory on a disk to mine on; repeatable.")],
    plots: Annotated[
        int | None, _option("PLOTS", "Plots in all; --fill, if given too, limits each disk.", min=0)
    ] = None,
    fill: Annotated[
        float | None,
        _option("FILL", "Share of each disk for plots, 0 to 1; 0.8 without --plots.", min=0, max=1),
    ] = None,
    floor: Annotated[int | None, _option("FLOOR", "Bytes kept free on each disk.", min=0)] = None,
    payout: Annotated[
        str | None, _option("PAYOUT", "Address that rewards go to; without it: as before.")
    ] = None,
    own_payout: Annotated[  # noqa: FBT002 -- a flag
        bool, _option("OWN_PAYOUT", "Rewards go to this miner's own account (again).")
    ] = False,
    group: Annotated[str, _option("GROUP", "Name shared by machines that fail together.")] = "",
    owner: Annotated[str, _option("OWNER", "Name shared by one operator's miners.")] = "",
    host: Annotated[str, _option("LISTEN_HOST", "Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        _option(
            "LISTEN_PORT",
            "Port to listen on; one for each miner. 0 takes a free one.",
            min=0,
            max=PORT_MAX,
        ),
    ] = MINER_PORT,
    url: Annotated[str, _option("URL", "URL by which others reach this miner.")] = "",
    supernode: Annotated[str, _option("SUPERNODE", "Super node URL, if not network.json's.")] = "",
    plot_threads: Annotated[
        int, _option("PLOT_THREADS", "Plots made at the same time.", min=1)
    ] = default_threads(),
    control: Annotated[
        str | None, _option("CONTROL", "Address whose key may drain this miner, from anywhere.")
    ] = None,
    identity: Annotated[
        Path | None, _option("IDENTITY", "Keys from this file, not DATA/identity.json.")
    ] = None,
    bandwidth: Annotated[
        int | None,
        _option("BANDWIDTH", "Bytes per second of shards and plots, in and out.", min=RATE_MIN),
    ] = None,
    rebuild_journal: Annotated[  # noqa: FBT002 -- a flag
        bool, _option("REBUILD_JOURNAL", "Set a damaged journal aside; disks and ledger fill it.")
    ] = False,
    disk_limits: Annotated[
        list[Path] | None,
        _option("DISK_LIMITS", "JSON of bytes by disk path, read again on change; repeatable."),
    ] = None,
    log_json: Annotated[bool, _option("LOG_JSON", "Log as JSON lines.")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Mine: plot disks, prove them, hold customers' shards, get paid."""
    from cybervein_miner.node.running import run_miner  # noqa: PLC0415 -- brings the web server

    if payout and own_payout:
        raise typer.BadParameter("give --payout or --own-payout, not both")
    check_urls({"--url": url, "--supernode": supernode})  # before a mistyped one reaches the ledger
    for option, label in (("--group", group), ("--owner", owner)):
        with given(option):
            _check_label(label)
    settings = Settings(
        data=data,
        network=network,
        disks=tuple(disk),
        wish=Wish(None if fill is None else round(fill * 1000), plots),
        floor=floor,
        payout=_key("--payout", payout),
        own_payout=own_payout,
        group=group,
        owner=owner,
        url=url,
        super_node=supernode,
        plot_threads=plot_threads,
        control=_key("--control", control),
        identity=identity,
        bandwidth=bandwidth,
        rebuild_journal=rebuild_journal,
        limits=tuple(disk_limits or ()),
    )
    run_miner(settings, host, port, log_json=log_json)


def _check_label(text: str) -> None:
    if len(text) > _LABEL_CHARS_MAX:
        raise LimitError(f"{len(text)} characters: at most {_LABEL_CHARS_MAX}")


def _key(option: str, text: str | None) -> PublicKey | None:
    with given(option):
        return parse_address(text) if text else None
