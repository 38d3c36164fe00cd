"""The command line of every process of the embedded network."""

from pathlib import Path

from cybervein_up.child import Recipe
from cybervein_up.layout import Layout
from cybervein_up.options import Options

SUPERNODE = "supernode"
_LOCAL_FUNDS_VEINS = 10**15  # a million coins: enough to try everything, far below the supply cap


def init_supernode(layout: Layout, options: Options, wallet: str) -> Recipe:
    """Write the genesis, which funds the local client's wallet."""
    epoch = () if options.epoch_seconds is None else ("--epoch-seconds", str(options.epoch_seconds))
    arguments = (
        *("supernode", "init", "--data", str(layout.supernode), "--preset", options.preset),
        *epoch,
        *("--fund", f"{wallet}={_LOCAL_FUNDS_VEINS}"),
    )
    return Recipe("supernode-init", arguments, layout.log("supernode-init"))


def supernode(layout: Layout, options: Options, port: int) -> Recipe:
    """The super node; with the explorer page at its root."""
    arguments = (
        *("supernode", "run", "--data", str(layout.supernode)),
        *("--host", options.host),
    )
    run_file = layout.supernode / "run.json"
    return Recipe(SUPERNODE, arguments, layout.log(SUPERNODE), run_file, port)


def miner(layout: Layout, options: Options, number: int, port: int, payout: str) -> Recipe:
    """Miner `number`, alone in its failure domain, paid to a wallet apart from its hot key."""
    name = miner_name(number)
    home = layout.miner(number)
    arguments = (
        *("mine", "--network", str(layout.network_file), "--data", str(home / "data")),
        *("--disk", str(home / "disk"), "--plots", str(options.plots), "--payout", payout),
        *("--group", f"group-{number}", "--owner", f"owner-{number}"),
        *("--host", options.host),
    )
    return Recipe(name, arguments, layout.log(name), home / "data" / "run.json", port)


def sidecar(
    layout: Layout, options: Options, number: int, port: int, urls: tuple[str, str]
) -> Recipe:
    """The metrics sidecar of miner `number`; `urls` are the miner's and the super node's."""
    name = sidecar_name(number)
    run_file = layout.miner(number) / "sidecar.json"
    arguments = (
        *("sidecar", "--miner", urls[0], "--supernode", urls[1]),
        *("--host", options.host, "--run-file", str(run_file)),
    )
    return Recipe(name, arguments, layout.log(name), run_file, port)


def miner_name(number: int) -> str:
    """`miner-N`."""
    return f"miner-{number}"


def sidecar_name(number: int) -> str:
    """`sidecar-N`."""
    return f"sidecar-{number}"


def disk_of(layout: Layout, number: int) -> Path:
    """The directory that stands for the miner's disk."""
    return layout.miner(number) / "disk"
