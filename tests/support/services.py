"""Our services as real processes: `cybervein` commands that announce themselves in run files."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar

from cybervein_up.nursery import Started, start
from ports import free_ports
from process import Process
from waiting import DEADLINE_SECONDS, until


def command(*arguments: object) -> list[str]:
    """A `cybervein` command, as the tests' own interpreter runs it."""
    return [sys.executable, "-m", "cybervein_command", *map(str, arguments)]


def run(
    *arguments: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a `cybervein` command to its end."""
    done = run_bytes(*arguments, environment=environment)
    output, errors = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, output, errors)


def run_bytes(
    *arguments: object, data: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The same with bytes, `data` being its standard input."""
    line = tuple(map(str, arguments))
    with TemporaryFile() as given, TemporaryFile() as output, TemporaryFile() as errors:
        given.write(data)
        given.seek(0)
        process = start(line, (output, errors), source=given, environment=environment)
        try:
            code = process.wait(DEADLINE_SECONDS)
        except BaseException:  # it would outlive the test that is told
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(line, code, *map(_whole, (output, errors)))


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- our own
        return json.load(answer)


class Command(Process):
    """A `cybervein` command, started without an interpreter of its own: by `up`'s nursery."""

    def _spawn(self, log: IO[bytes]) -> Started:
        line = tuple(map(str, self.command))
        return start(line, (log, log), environment=self.environment)


class Service(Command):
    """A command that serves; started again, it takes the same port.

    `started` has all that were started, for the tests that end whatever one of them left.
    """

    started: ClassVar[list["Service"]] = []

    def __init__(self, run_file: Path, *arguments: object, log: Path | None = None) -> None:
        self.arguments, self.run_file = arguments, run_file
        self.port, self.url = 0, ""
        log = log or run_file.with_name(f"{arguments[0]}.log")
        super().__init__(log.stem, (), log.parent, stop_seconds=DEADLINE_SECONDS)

    def launch(self, *options: object) -> None:
        """Start it and wait for nothing."""
        self.run_file.unlink(missing_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_ports(1)[0]  # nobody takes it while this is stopped
        self.command = tuple(map(str, (*self.arguments, "--port", self.port, *options)))
        super().start()
        self.started.append(self)

    def wait_ready(self) -> "Service":
        """Return when it serves; AssertionError with its last words if it ends before."""
        until(self._announced, f"{self.name} serves", diagnose=self.tail)
        self.url = json.loads(self.run_file.read_bytes())["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def start(self, *options: object) -> "Service":  # type: ignore[override]
        """Start it; returns when it serves."""
        self.launch(*options)
        return self.wait_ready()

    def revive(self) -> None:
        """Let it continue, or start it again if it was stopped."""
        if self.alive:
            self.resume()
        else:
            self.start()

    def status(self) -> Any:
        return get_json(f"{self.url}/v1/status")

    def _announced(self) -> bool:
        assert self.alive, self.tail()
        return self.run_file.exists()


def super_node(folder: Path, epoch_seconds: int = 4, *options: str) -> Service:
    """A fresh network's super node, not started; its network.json names its real port."""
    (port,) = free_ports(1)
    run(
        *("supernode", "init", "--data", folder, "--preset", "test"),
        *("--url", f"http://127.0.0.1:{port}", "--epoch-seconds", epoch_seconds, *options),
    ).check_returncode()
    made = Service(folder / "run.json", "supernode", "run", "--data", folder)
    made.port = port
    return made


def miner(folder: Path, network: Path, *options: str) -> Service:
    """A miner on one disk, not started."""
    (folder / "disk").mkdir(parents=True, exist_ok=True)
    return Service(
        folder / "data" / "run.json",
        *("mine", "--network", network, "--data", folder / "data"),
        *("--disk", folder / "disk", "--floor", "0", *options),
    )


def sidecar(run_file: Path, miner_url: str, super_node_url: str) -> Service:
    """A sidecar, not started."""
    urls = ("--miner", miner_url, "--supernode", super_node_url)
    return Service(run_file, "sidecar", *urls, "--run-file", run_file)
