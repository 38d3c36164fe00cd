"""Every command: where it is, and its line in `cybervein --help`.

Written by `scripts/commands_page.py` from pyproject.toml and the commands; do not edit.
"""

from typing import Final

LISTED: Final[dict[str, tuple[str, str]]] = {
    "put": (
        "cybervein_command.transfer:put",
        "Store a file: encrypted, erasure coded, spread over miners. Run it again to continue.",
    ),
    "get": (
        "cybervein_command.transfer:get",
        "Read a file back. It appears when every byte was verified; run it again to continue.",
    ),
    "cat": (
        "cybervein_command.transfer:cat",
        "Write a file, or a range of it, to standard output; fetches only what the range needs.",
    ),
    "ls": (
        "cybervein_command.listing:ls",
        "List the stored files: how long each is paid for, and what has ended.",
    ),
    "rm": (
        "cybervein_command.keeping:rm",
        "Remove a file for good: ends its deals, deletes its shards, forgets its key.",
    ),
    "renew": (
        "cybervein_command.keeping:renew",
        "Pay for more time of a file, counted from its end. What cannot be is refused unpaid.",
    ),
    "audit": (
        "cybervein_command.keeping:audit",
        "Check that the miners still hold a file: reads random chunks of every shard.",
    ),
    "wallet": ("cybervein_command.wallet:wallet", "Keys and coins."),
    "keep": (
        "cybervein_command.lasting:keep",
        "Keep a file: renew it whenever it ends soon. Without NAME: run the service that does it.",
    ),
    "miners": ("cybervein_command.network:miners", "List the network's miners."),
    "deals": ("cybervein_command.network:deals", "List deals on the ledger."),
    "status": ("cybervein_command.network:status", "Show network, wallet and files at a glance."),
    "doctor": (
        "cybervein_command.checkup:doctor",
        "Check the local set-up, the wallet and the network; exit code 1 if something is wrong.",
    ),
    "mine": (
        "cybervein_miner.cli.mine:mine",
        "Mine: plot disks, prove them, hold customers' shards, get paid.",
    ),
    "miner": (
        "cybervein_miner.cli.miner:miner_app",
        "Look at the miner that runs on this machine.",
    ),
    "disk": (
        "cybervein_miner.cli.disk:disk_app",
        "Add, remove (drain), wipe and list the disks of a running miner.",
    ),
    "drain": (
        "cybervein_miner.cli.drain:drain",
        "Move every shard of this miner elsewhere and retire its plots; its files stay.",
    ),
    "sidecar": (
        "cybervein_miner.cli.sidecar:sidecar",
        "Serve /metrics for Prometheus: contribution, rewards, disks, network, audits, plotting.",
    ),
    "plot": (
        "cybervein_miner.cli.plot:plot_app",
        "Make and check plot files, without any network.",
    ),
    "prove": (
        "cybervein_miner.cli.prove:prove",
        "Prove that a plot file is there (one row), or that it is honestly made (--commit).",
    ),
    "verify": (
        "cybervein_miner.cli.prove:verify",
        "Check a proof file; exit code 5 if it proves nothing.",
    ),
    "supernode": ("cybervein_supernode.cli:supernode", "Run a super node."),
    "chain": ("cybervein_supernode.cli:chain", "Check or export a chain."),
    "operator": ("cybervein_operator.cli:operator", "Run CyberVein on Kubernetes."),
    "k8s": (
        "cybervein_operator.plugin:k8s",
        "Look after miners on Kubernetes; also called as `kubectl cybervein`.",
    ),
    "up": (
        "cybervein_up.command:up",
        "Run a whole network on this machine until Ctrl-C, or one scripted run with --store.",
    ),
}
