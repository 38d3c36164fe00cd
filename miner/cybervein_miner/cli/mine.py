"""`cybervein mine`: join a network and mine until told to stop."""

from pathlib import Path
from typing import Annotated

import typer
from cybervein_protocol.signing import parse_address

from cybervein_miner.plot.policy import Wish
from cybervein_miner.settings import Settings, default_threads


def mine(  # noqa: PLR0913, PLR0917 -- options of a command
    network: Annotated[Path, typer.Option(help="network.json of the network to join")],
    data: Annotated[Path, typer.Option(help="keys and journal of this miner")],
    disk: Annotated[list[Path], typer.Option(help="directory on a disk to mine on; repeatable")],
    plots: Annotated[
        int | None, typer.Option(min=0, help="plots in all, instead of --fill")
    ] = None,
    fill: Annotated[float, typer.Option(min=0, max=1, help="share of each disk for plots")] = 0.8,
    floor: Annotated[int | None, typer.Option(min=0, help="bytes kept free on each disk")] = None,
    payout: Annotated[str | None, typer.Option(help="address that rewards go to")] = None,
    group: Annotated[str, typer.Option(help="network group: machines that fail together")] = "",
    owner: Annotated[str, typer.Option(help="owner: miners of one hand")] = "",
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one")] = 0,
    url: Annotated[str, typer.Option(help="URL by which others reach this miner")] = "",
    supernode: Annotated[str, typer.Option(help="super node URL, if not network.json's")] = "",
    plot_threads: Annotated[int, typer.Option(help="plots made side by side")] = default_threads(),
    log_json: Annotated[bool, typer.Option(help="log as JSON lines")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Mine: plot disks, prove them, hold customers' shards, get paid."""
    from cybervein_miner.running import run_miner  # noqa: PLC0415 -- brings the web server

    settings = Settings(
        data=data,
        network=network,
        disks=tuple(disk),
        wish=Wish(int(fill * 1000), plots),
        floor=floor,
        payout=parse_address(payout) if payout else None,
        group=group,
        owner=owner,
        url=url,
        super_node=supernode,
        plot_threads=plot_threads,
    )
    run_miner(settings, host, port, log_json=log_json)
