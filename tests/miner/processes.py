"""Real processes: `cybervein` commands that announce themselves in run files, and kill -9."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
SECONDS_MAX = 300.0


def until(what: str, look: Callable[[], T | None]) -> T:
    """The first true result of `look`, which may fail on the way."""
    ends = time.monotonic() + SECONDS_MAX
    while time.monotonic() < ends:
        with suppress(OSError, ValueError, KeyError):
            if result := look():
                return result
        time.sleep(0.05)
    raise AssertionError(f"waited {SECONDS_MAX:.0f} s for {what}")


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 -- our own loopback
        return json.load(answer)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cybervein_command", *arguments]


class Process:
    """One process; `start` again takes the same port. `started` has all, to end after a test."""

    started: ClassVar[list["Process"]] = []

    def __init__(self, run_file: Path, *arguments: str) -> None:
        self._run_file, self._arguments = run_file, arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._port = "0"
        self.url = ""
        self.log = run_file.parent / f"{arguments[0]}.log"

    def start(self) -> "Process":
        self._run_file.unlink(missing_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            line = command(*self._arguments, "--port", self._port)
            self._process = subprocess.Popen(line, stdout=log, stderr=log)
        self.started.append(self)
        until(f"{self._arguments[0]} to be ready, see {self.log}", self._ready)
        return self

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        self.url = json.loads(self._run_file.read_bytes())["url"]
        self._port = self.url.rsplit(":", 1)[1]
        return True

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=SECONDS_MAX)

    def status(self) -> Any:
        return get_json(f"{self.url}/v1/status")


def super_node(folder: Path, epoch_seconds: int = 4, *options: str) -> Process:
    """A fresh network's super node, not started; its network.json names its real port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    line = command(
        "supernode",
        "init",
        "--data",
        str(folder),
        "--preset",
        "test",
        "--url",
        url,
        "--epoch-seconds",
        str(epoch_seconds),
        *options,
    )
    subprocess.run(line, check=True, capture_output=True)
    process = Process(folder / "run.json", "supernode", "run", "--data", str(folder))
    process._port = str(port)
    return process


def free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def miner(folder: Path, network: Path, *options: str) -> Process:
    """A miner on one disk, not started."""
    (folder / "disk").mkdir(parents=True, exist_ok=True)
    return Process(
        folder / "data" / "run.json",
        "mine",
        "--network",
        str(network),
        "--data",
        str(folder / "data"),
        "--disk",
        str(folder / "disk"),
        "--floor",
        "0",
        *options,
    )
