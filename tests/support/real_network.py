"""A network of real processes for the client's tests: a super node and miners on this machine."""

import json
from pathlib import Path
from typing import Any

from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.identity import Identity, load_or_create_identity
from cybervein_runtime.network_file import NetworkFile, load_network, save_network
from services import Service, get_json, run
from waiting import until

FUNDS_VEINS = 12 * 10**9
EPOCH_SECONDS = 15


class RealMiner(Service):
    """A miner in a failure domain of its own."""

    def __init__(self, directory: Path, network_file: Path, number: int) -> None:
        self.home, self.disk = directory, directory / "disk"
        self.disk.mkdir(parents=True)
        data = directory / "data"
        super().__init__(
            data / "run.json",
            *("mine", "--network", network_file, "--data", data, "--disk", self.disk),
            *("--plots", "1", "--group", f"group-{number}", "--owner", f"owner-{number}"),
            log=self.home / "miner.log",
        )

    @property
    def address(self) -> str:
        identity = json.loads((self.home / "data" / "identity.json").read_bytes())
        return address(KeyPair(bytes.fromhex(identity["seed"])).public)

    def shard_file(self, root: bytes) -> Path | None:
        """The file of a shard that this miner holds."""
        found = [
            path for path in self.disk.rglob(root.hex()) if path.parent.parent.name == "shards"
        ]
        return found[0] if found else None


class RealNetwork:
    """All processes, and the funded wallet's identity."""

    def __init__(self, directory: Path, miners: int) -> None:
        self.directory = directory
        self.wallet: Identity = load_or_create_identity(directory / "wallet.json")
        data = directory / "supernode"
        funded = f"{address(self.wallet.keys.public)}={FUNDS_VEINS}"
        run(
            *("supernode", "init", "--data", data, "--preset", "test"),
            *("--epoch-seconds", EPOCH_SECONDS, "--fund", funded),
        ).check_returncode()
        self.supernode = Service(
            data / "run.json",
            *("supernode", "run", "--data", data),
            log=directory / "supernode.log",
        )
        self.network_file = directory / "network.json"
        self._pinned = data / "network.json"
        self.miners = [
            RealMiner(directory / f"miner-{i}", self.network_file, i) for i in range(miners)
        ]

    def start(self) -> None:
        """Start everything; returns when every miner is registered and answers."""
        self.supernode.start()
        pinned: NetworkFile = load_network(self._pinned)
        nodes = ((self.supernode.url, pinned.super_nodes[0][1]),)
        save_network(self.network_file, pinned.genesis, nodes)
        for miner in self.miners:
            miner.launch()
        for miner in self.miners:
            miner.wait_ready()
        self.wait_online(len(self.miners))

    def stop(self) -> None:
        for process in (*self.miners, self.supernode):
            process.kill()

    def get(self, path: str) -> Any:
        return get_json(f"{self.supernode.url}/v1{path}")

    def wait_online(self, count: int) -> None:
        def online() -> bool:
            return sum(row["online"] for row in self.get("/miners")["miners"]) == count

        until(online, f"{count} miners to be online")

    def wait_epoch(self, epoch: int) -> None:
        """Wait until every miner knows that the epoch has come."""
        until(
            lambda: all(miner.status()["epoch"] >= epoch for miner in self.miners),
            f"epoch {epoch}",
        )

    def miner_of(self, text: str) -> RealMiner:
        return next(miner for miner in self.miners if miner.address == text)

    def holder(self, root: bytes) -> RealMiner:
        """The miner on whose disk the shard lies."""
        return next(miner for miner in self.miners if miner.shard_file(root) is not None)
