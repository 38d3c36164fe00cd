"""Storing and reading 1 GiB over six nodes of this machine at 2 of 6, against Tahoe-LAFS.

Everything lies on tmpfs, so that programs race and not disks; then once more on a real disk, where
the peer is what a synced sequential write leaves after dividing by the expansion. Ours is timed
from the command's start to its end (interpreter, orders, verification and final commit included),
Tahoe's from the request to its running gateway to the answer. Medians over `RUNS`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE_BYTES = int(os.environ.get("STORAGE_BYTES", str(1 << 30)))
RUNS = int(os.environ.get("STORAGE_RUNS", "3"))
NODES, NEEDED = 6, 2
MIB = 1 << 20
BLOCK = 16 * MIB
READY_SECONDS_MAX = 120
TAHOE = Path(__file__).parents[1] / ".peers" / "bin" / "tahoe"
PEER = "Tahoe-LAFS 2/6"


def race() -> list[dict[str, object]]:
    """Rows for put and get on tmpfs (MiB/s), the client's peak memory, and put on disk."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        source = noise(Path(folder) / "source")
        ours = measure_ours(Path(folder) / "ours", source)
        shutil.rmtree(Path(folder) / "ours")
        peer = measure_tahoe(Path(folder) / "tahoe", source)
    rows = [
        row("storage: put 1 GiB at 2/6, tmpfs", "MiB/s", ours["put"], PEER, peer["put"]),
        row("storage: get 1 GiB at 2/6, tmpfs", "MiB/s", ours["get"], PEER, peer["get"]),
        row(
            "storage: client's peak memory", "MiB", ours["memory"], PEER, peer["memory"], less=True
        ),
    ]
    with tempfile.TemporaryDirectory(dir=Path(__file__).parents[1]) as folder:
        source = noise(Path(folder) / "source")
        limit = synced_write(Path(folder) / "written", source) * NEEDED / NODES
        put = measure_ours(Path(folder) / "ours", source, runs=1)["put"]
    rows.append(row("storage: put 1 GiB at 2/6, disk", "MiB/s", put, "synced write / 3", limit))
    return rows


def row(  # noqa: PLR0913 -- a row's columns
    name: str, unit: str, ours: float, peer_name: str, peer: float, *, less: bool = False
) -> dict[str, object]:
    """A result; `less` where the smaller number is better."""
    ratio = peer / ours if less else ours / peer
    values = {"ours": ours, "peer_name": peer_name, "peer": peer, "ratio": ratio}
    return {"race": name, "unit": unit, **values}


def memory_folder() -> str | None:
    """tmpfs where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- tmpfs is the point


def noise(path: Path) -> Path:
    """A file of random bytes."""
    with path.open("wb") as file:
        for start in range(0, SIZE_BYTES, BLOCK):
            file.write(os.urandom(min(BLOCK, SIZE_BYTES - start)))
    return path


def renew(source: Path) -> None:
    """Other content for each run: Tahoe's encryption is convergent, it would not store it twice."""
    with source.open("r+b") as file:
        file.write(os.urandom(64))


def touch_memory(folder: Path) -> None:
    """Use, and give back, the memory that a put is about to fill.

    In a virtual machine the first touch of a page is a fault in the host, which costs several times
    the copy. It would hit whoever writes first; programs shall race here, not hosts.
    """
    if memory_folder() is None or not folder.is_relative_to(str(memory_folder())):
        return
    path, zeros = folder / "touched", bytes(BLOCK)
    with path.open("wb", buffering=0) as file:
        for _ in range(0, SIZE_BYTES * NODES // NEEDED, BLOCK):
            file.write(zeros)
    path.unlink()


def synced_write(path: Path, source: Path) -> float:
    """MiB/s of writing the source's bytes in order and syncing them."""
    began = time.perf_counter()
    with source.open("rb") as data, path.open("wb") as file:
        shutil.copyfileobj(data, file, BLOCK)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    return rate(time.perf_counter() - began)


def rate(seconds: float) -> float:
    return SIZE_BYTES / MIB / seconds


def same(left: Path, right: Path) -> None:
    """Raise ValueError unless two files are equal."""
    with left.open("rb") as one, right.open("rb") as two:
        while True:
            a, b = one.read(BLOCK), two.read(BLOCK)
            if a != b:
                raise ValueError(f"{right} is not what was stored")
            if not a:
                return


# Ours


def measure_ours(data: Path, source: Path, runs: int = RUNS) -> dict[str, float]:
    """Put and get through the command, on an embedded network of six miners."""
    puts, gets, memory = [], [], 0.0
    copy = data.with_name("copy")
    with our_network(data):
        for number in range(runs):
            name = f"run-{number}"
            renew(source)
            touch_memory(source.parent)
            seconds, peak = timed(data, "put", str(source), "--name", name, "--code", "2/6")
            puts.append(rate(seconds))
            memory = max(memory, peak)
            seconds, peak = timed(data, "get", name, "--out", str(copy))
            gets.append(rate(seconds))
            memory = max(memory, peak)
            same(source, copy)
            copy.unlink()
            timed(data, "rm", name, "--yes")
    return {"put": statistics.median(puts), "get": statistics.median(gets), "memory": memory}


@contextmanager
def our_network(data: Path) -> Iterator[None]:
    """`cybervein up` with six miners, ready and plotted."""
    arguments = ["up", "--data", str(data), "--miners", str(NODES), "--plots", "1"]
    command = [sys.executable, "-m", "cybervein_command", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        try:
            wait_until_plotted(up)
            yield
        finally:
            up.terminate()
            up.communicate()


def wait_until_plotted(up: subprocess.Popen[str]) -> None:
    """Return when all miners are ready and their plots are done."""
    miners: list[str] = []
    for line in up.stdout or ():
        event = json.loads(line)
        if event["event"] == "started" and event["name"].startswith("miner-"):
            miners.append(event["url"])
        if event["event"] == "note" and event["text"].startswith("ready after"):
            break
    else:
        raise RuntimeError(f"cybervein up ended with {up.wait()} before it was ready")
    deadline = time.monotonic() + READY_SECONDS_MAX
    while any(status(url)["plotting"] or not status(url)["plots"] for url in miners):
        if time.monotonic() > deadline:
            raise RuntimeError("the miners did not finish plotting")
        time.sleep(0.5)


def status(miner: str) -> dict[str, Any]:
    """A miner's public status."""
    answer: dict[str, Any] = json.loads(fetch(f"{miner}/v1/status"))
    return answer


def timed(data: Path, *arguments: str) -> tuple[float, float]:
    """Seconds and peak MiB of one `cybervein` command. Raises RuntimeError if it fails."""
    home = ["--home", str(data / "wallet")]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cybervein_command", *home, *arguments], stdout=subprocess.DEVNULL
    )
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise RuntimeError(f"cybervein {arguments[0]} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


# Tahoe-LAFS


def measure_tahoe(grid: Path, source: Path) -> dict[str, float]:
    """Put and get through the web interface of a Tahoe client with six storage nodes."""
    puts, gets = [], []
    copy = grid.with_name("copy")
    with tahoe_grid(grid) as (url, client):
        for _ in range(RUNS):
            renew(source)
            touch_memory(source.parent)
            began = time.perf_counter()
            cap = curl("--upload-file", str(source), f"{url}/uri").strip()
            puts.append(rate(time.perf_counter() - began))
            began = time.perf_counter()
            curl("--output", str(copy), f"{url}/uri/{cap}")
            gets.append(rate(time.perf_counter() - began))
            same(source, copy)
            copy.unlink()
        memory = peak_mib(client)
    return {"put": statistics.median(puts), "get": statistics.median(gets), "memory": memory}


@contextmanager
def tahoe_grid(grid: Path) -> Iterator[tuple[str, int]]:
    """An introducer, six storage nodes and a client; the client's URL and process id."""
    grid.mkdir()
    running: list[subprocess.Popen[bytes]] = []
    try:
        tahoe("create-introducer", *listening(), str(grid / "introducer"))
        running.append(run_node(grid / "introducer"))
        furl_file = grid / "introducer" / "private" / "introducer.furl"
        wait_for(furl_file.exists, "the introducer")
        furl = f"--introducer={furl_file.read_text().strip()}"
        for number in range(NODES):
            node = grid / f"storage-{number}"
            tahoe("create-node", *listening(), furl, "--webport=none", str(node))
            running.append(run_node(node))
        port = free_port()
        client = grid / "client"
        shares = [f"--shares-needed={NEEDED}", f"--shares-happy={NODES}", f"--shares-total={NODES}"]
        tahoe(
            "create-client", furl, *shares, f"--webport=tcp:{port}:interface=127.0.0.1", str(client)
        )
        running.append(run_node(client))
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: connected(url) == NODES, "the storage nodes")
        yield url, running[-1].pid
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def listening() -> list[str]:
    port = free_port()
    return [f"--port=tcp:{port}:interface=127.0.0.1", f"--location=tcp:127.0.0.1:{port}"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tahoe(*arguments: str) -> None:
    subprocess.run([str(TAHOE), *arguments], check=True, capture_output=True)


def run_node(node: Path) -> subprocess.Popen[bytes]:
    command = [str(TAHOE), "run", "--allow-stdin-close", str(node)]
    with (node / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def connected(url: str) -> int:
    """Storage nodes that the client is connected to."""
    try:
        servers = json.loads(fetch(f"{url}/?t=json"))["servers"]
    except OSError:
        return 0
    return sum(server["connection_status"].lower().startswith("connected") for server in servers)


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {READY_SECONDS_MAX} s for {what} of Tahoe-LAFS")
        time.sleep(0.2)


def curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--fail", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- our own http URL
        data: bytes = answer.read()
    return data


def peak_mib(pid: int) -> float:
    """Peak resident memory of a running process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
