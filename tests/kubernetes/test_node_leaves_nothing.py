"""After a node, the machine is as it was: by its end, and when the test process is killed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cluster.kwok import is_ready
from cluster.node.oci import write_image
from cluster.node.room import CGROUPS, FIXED_FOLDERS, KUBELET_SETS, PREFIX
from cluster.node.running import node_cluster
from cluster.samples import container, stateful_set
from cluster.tools import tool
from waiting import until

pytestmark = pytest.mark.node
IMAGE = "localhost/answer:1"
MOUNTS = Path("/proc/self/mounts")
PACKAGE_ROOT = Path(__file__).parents[1] / "support"
RUN_FOREVER = """
import sys, time
from pathlib import Path
from cluster.node.running import node_cluster
with node_cluster(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(600)
"""


def is_of_a_node(mount: str) -> bool:
    words = ("containerd", "kubelet", "netns", "/cni")
    return any(word in mount.split()[1] for word in words)


def is_somebody_elses(name: str) -> bool:
    """Cgroups and interfaces of a node that another test run has just now tell its process."""
    made_by = re.search(rf"(?:cvo|cvi|/{PREFIX}-)(\d+)-", name)
    pid = int(made_by[1]) if made_by else os.getpid()
    return pid != os.getpid() and psutil.pid_exists(pid)


def machine() -> set[str]:
    """What a node could leave behind: interfaces, mounts, cgroups, folders, kernel settings."""
    mounts = filter(is_of_a_node, MOUNTS.read_text().splitlines())
    cgroups = map(str, CGROUPS.glob(f"*/{PREFIX}-*"))
    folders = [str(folder) for folder in FIXED_FOLDERS if folder.exists()]
    settings = [f"{name} {(Path('/proc/sys') / name).read_text()}" for name in KUBELET_SETS]
    loops = [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    found = {*psutil.net_if_addrs(), *mounts, *cgroups, *folders, *settings, *loops}
    return {name for name in found if not is_somebody_elses(name)}


def processes_of(directory: Path) -> list[str]:
    """Command lines of processes that name the node's folder, or work in it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(directory) in line or str(directory) in (process.info["cwd"] or ""):
            found.append(line)
    return found


def test_a_node_that_ends_leaves_nothing(tmp_path: Path) -> None:
    before = machine()
    with node_cluster(tmp_path / "node") as node:
        node.load(write_image(tmp_path / "answer.tar", tool("answer")), IMAGE)
        node.disk("bay-1", 64 << 20, "bays")
        api = node.cluster.api
        main = container(IMAGE, imagePullPolicy="Never")
        api.apply(stateful_set("web", claim="1Gi", main=main))
        api.wait("pod", "web-0", is_ready, "is Ready")
        assert machine() - before
        assert processes_of(tmp_path / "node")
    assert processes_of(tmp_path / "node") == []
    until(lambda: machine() <= before, "nothing is left", diagnose=lambda: str(machine() - before))


def test_a_killed_test_process_takes_its_node_along(tmp_path: Path) -> None:
    before = machine()
    command = [sys.executable, "-c", RUN_FOREVER, str(tmp_path / "node")]
    with subprocess.Popen(
        command,
        env={"PYTHONPATH": str(PACKAGE_ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        cwd=tmp_path,  # kubectl keeps its cache where it runs, if there is no home
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.kill()
    until(lambda: not processes_of(tmp_path / "node"), "every process is gone")
    held = {str(path) for path in (*CGROUPS.glob(f"*/{PREFIX}-*"), *FIXED_FOLDERS)}
    until(lambda: machine() - before <= held, "interfaces and mounts are gone")
    with node_cluster(tmp_path / "next"):
        pass  # the next node sweeps what the kernel keeps
    assert machine() - before == set()
