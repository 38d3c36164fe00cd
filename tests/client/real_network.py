"""A network of real processes for the client's tests: a super node and miners on this machine."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.identity import Identity, load_or_create_identity
from cybervein_runtime.network_file import NetworkFile, load_network, save_network
from cybervein_up.child import command

FUNDS_VEINS = 12 * 10**9
EPOCH_SECONDS = 15
WAIT_SECONDS_MAX = 300


class Process:
    """A `cybervein` process that announces itself in a run file."""

    def __init__(self, arguments: tuple[str, ...], run_file: Path, log: Path) -> None:
        self._arguments, self._run_file, self._log = arguments, run_file, log
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Start; the port of an earlier start is taken again."""
        self._run_file.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command((*self._arguments, "--port", str(self._port))), stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        until(self._announced, f"{self._arguments[:2]} to be ready ({self._log})")
        self.url = json.loads(self._run_file.read_bytes())["url"]
        self._port = int(self.url.rsplit(":", 1)[1])

    def _announced(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-3000:]
        return self._run_file.exists()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def pause(self) -> None:
        """SIGSTOP: connections are accepted, nothing is answered."""
        self.send(signal.SIGSTOP)

    def revive(self) -> None:
        """Let it continue, or start it again if it was stopped."""
        assert self._process is not None
        if self._process.poll() is None:
            self.send(signal.SIGCONT)
            return
        self.start()
        self.wait_ready()

    def stop(self) -> None:
        """kill -9 and reap; harmless if it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class RealMiner(Process):
    """A miner in a failure domain of its own."""

    def __init__(self, directory: Path, network_file: Path, number: int) -> None:
        self.directory, self.disk = directory, directory / "disk"
        self.disk.mkdir(parents=True)
        data = directory / "data"
        arguments = (
            *("mine", "--network", str(network_file), "--data", str(data)),
            *("--disk", str(self.disk), "--plots", "1"),
            *("--group", f"group-{number}", "--owner", f"owner-{number}"),
        )
        super().__init__(arguments, data / "run.json", directory / "log")

    @property
    def address(self) -> str:
        identity = json.loads((self.directory / "data" / "identity.json").read_bytes())
        return address(KeyPair(bytes.fromhex(identity["seed"])).public)

    def shard_file(self, root: bytes) -> Path | None:
        """The file of a shard that this miner holds."""
        found = [
            path for path in self.disk.rglob(root.hex()) if path.parent.parent.name == "shards"
        ]
        return found[0] if found else None

    def status(self) -> Any:
        return get_json(f"{self.url}/v1/status")


class RealNetwork:
    """All processes, and the funded wallet's identity."""

    def __init__(self, directory: Path, miners: int) -> None:
        self.directory = directory
        self.wallet: Identity = load_or_create_identity(directory / "wallet.json")
        data = directory / "supernode"
        funded = f"{address(self.wallet.keys.public)}={FUNDS_VEINS}"
        subprocess.run(
            command(
                (
                    *("supernode", "init", "--data", str(data), "--preset", "test"),
                    *("--epoch-seconds", str(EPOCH_SECONDS), "--fund", funded),
                )
            ),
            check=True,
            capture_output=True,
        )
        self.supernode = Process(
            ("supernode", "run", "--data", str(data)),
            data / "run.json",
            directory / "supernode.log",
        )
        self.network_file = directory / "network.json"
        self._pinned = data / "network.json"
        self.miners = [
            RealMiner(directory / f"miner-{i}", self.network_file, i) for i in range(miners)
        ]

    def start(self) -> None:
        """Start everything; returns when every miner is registered and answers."""
        self.supernode.start()
        self.supernode.wait_ready()
        pinned: NetworkFile = load_network(self._pinned)
        nodes = ((self.supernode.url, pinned.super_nodes[0][1]),)
        save_network(self.network_file, pinned.genesis, nodes)
        for miner in self.miners:
            miner.start()
        for miner in self.miners:
            miner.wait_ready()
        self.wait_online(len(self.miners))

    def stop(self) -> None:
        for process in (*self.miners, self.supernode):
            process.stop()

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


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 -- our own processes
        return json.load(answer)


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll a condition about other processes; fails naming what did not happen.

    A process that does not answer yet, as it starts or the machine is busy, counts as no.
    """
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not _holds(condition):
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS_MAX} s for {what}"
        os.sched_yield()
        time.sleep(0.02)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except OSError:
        return False
