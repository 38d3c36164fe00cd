"""The node's namespaces: processes, mounts, network. One first process holds them all.

When it ends, by us or because the test process died, the kernel ends every other process in there,
and with the last one go the mounts and the interfaces. What is not in a namespace is put back by
`close`: cgroups (cgroup v1 knows no nested ones here), kernel settings that kubelet changes, and
the two folders that kubelet and CNI have in fixed places.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import psutil
from process import Process
from waiting import until

from cluster.node.network import Wire
from cluster.tools import system_tool

PREFIX = "cybervein"
CGROUPS = Path("/sys/fs/cgroup")
FIXED_FOLDERS = (Path("/var/lib/kubelet"), Path("/var/lib/cni"))
KUBELET_SETS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
FRESH = ("/run", "/var/log", *map(str, FIXED_FOLDERS))


@dataclass
class Room:
    """The namespaces of one node. `name` is that of its cgroup."""

    directory: Path
    wire: Wire
    name: str = field(default_factory=lambda: f"{PREFIX}-{os.getpid()}-{token_hex(4)}")
    _holder: Process = field(init=False)
    _settings: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fresh = "; ".join(f"mount -t tmpfs tmpfs {path}" for path in FRESH)
        script = f"set -e; mount --make-rshared /; {fresh}; touch ready; exec sleep infinity"
        spaces = ["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child=KILL"]
        command = [system_tool("unshare"), *spaces, "sh", "-c", script]
        self._holder = Process("room", command, self.directory)

    def open(self) -> None:
        """Make the namespaces, the wire and the cgroup."""
        _sweep()
        self.wire.lay()
        self._settings = {path: path.read_text() for path in _settings()}
        for folder in FIXED_FOLDERS:
            folder.mkdir(parents=True, exist_ok=True)
        for hierarchy in _hierarchies():
            (hierarchy / self.name).mkdir(exist_ok=True)
        _inherit_cpus(self.name)
        self._holder.start()
        ready = self.directory / "ready"
        until(ready.exists, "the node's namespaces are made", diagnose=self._holder.tail)
        self.wire.hand_over(self.first_pid)
        self.run("sh", "-ec", self.wire.inside())

    @property
    def first_pid(self) -> int:
        """The first process of the node, as numbered here."""
        (child,) = psutil.Process(self._holder.pid).children()
        return int(child.pid)

    def inside(self, command: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs `command` in the node."""
        target = ["--target", str(self.first_pid)]
        return [system_tool("nsenter"), *target, "--net", "--mount", "--pid", "--", *command]

    def run(self, *command: str | Path, stdin: str | None = None) -> str:
        """Run a program in the node to its end and return its stdout."""
        run = subprocess.run(
            self.inside(command), input=stdin, capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: {run.stderr.strip()}")
        return run.stdout

    def close(self) -> None:
        """End every process of the node and put back what the kernel does not."""
        self._holder.kill()
        self.wire.remove()
        until(lambda: _remove_cgroups(self.name), f"cgroups of {self.name} are gone")
        for path, text in self._settings.items():
            path.write_text(text)
        if _other_nodes():
            return  # removing the folder would detach what they have mounted on it
        for folder in FIXED_FOLDERS:
            with suppress(OSError):  # not empty: somebody's own kubelet
                folder.rmdir()


@contextmanager
def opened(room: Room) -> Iterator[Room]:
    """The room while the context lasts."""
    try:
        room.open()
        yield room
    finally:
        room.close()


def _sweep() -> None:
    """Remove cgroups of test runs that were killed: their name tells the process that made them."""
    for path in CGROUPS.glob(f"*/{PREFIX}-*-*"):
        if not psutil.pid_exists(int(path.name.split("-")[1])):
            _remove_cgroups(path.name)


def _other_nodes() -> bool:
    """Whether a node of any test run still has its cgroup."""
    return any(CGROUPS.glob(f"*/{PREFIX}-*-*"))


def _settings() -> list[Path]:
    return [path for name in KUBELET_SETS if (path := Path("/proc/sys") / name).exists()]


def _hierarchies() -> list[Path]:
    return [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]


def _inherit_cpus(name: str) -> None:
    """A cgroup of the cpuset hierarchy is of no use until it has processors and memory nodes."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        above = CGROUPS / "cpuset" / setting
        if above.exists():
            (CGROUPS / "cpuset" / name / setting).write_text(above.read_text())


def _remove_cgroups(name: str) -> bool:
    """Remove a cgroup and those below it, deepest first; False while one is still in use."""
    for hierarchy in _hierarchies():
        for path, _, _ in os.walk(hierarchy / name, topdown=False):
            with suppress(OSError):
                Path(path).rmdir()
    return not any((hierarchy / name).exists() for hierarchy in _hierarchies())
