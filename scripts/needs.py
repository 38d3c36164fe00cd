"""What the project needs of a machine, in groups: the tool, its use, and how to get it.

Standard library only: it is read before any environment exists.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """One tool: the command that shows it, what uses it, and how it comes to the machine."""

    name: str
    probe: tuple[str, ...]
    used_for: str
    debian: tuple[str, ...] = ()
    advice: str = ""
    at_least: tuple[int, ...] = ()

    def remedy(self) -> str:
        """What a person does about it."""
        return self.advice or f"as root: apt-get install {' '.join(self.debian)}"


def compiles(compiler: str, language: str) -> tuple[str, ...]:
    """A probe: a compiler without the headers of the C library is of no use."""
    source = "printf '#include <stdlib.h>\\nint main(void) { return 0; }\\n'"
    build = f"{compiler} -x {language} -o /dev/null - 2> /dev/null"
    return ("sh", "-c", f"{source} | {build} && {compiler} --version")


ROOT = "run it as root, or name other stages: make test STAGES=…"
FUSE = "modprobe fuse, or give the container /dev/fuse"
PLUGINS = "cd /usr/lib/cni && ls bridge host-local portmap | tr '\n' ' '"
ERASURE = "ldconfig -p | grep -o 'liberasurecode.so.[0-9]*' | head -1 | grep ."

HEADERS = "import sysconfig; print(open(sysconfig.get_path('include') + '/Python.h').name)"
LIBRARY = (
    "from sysconfig import get_config_var as known; "
    "print(open('/'.join((known('LIBDIR'), known('LDLIBRARY')))).name)"
)

GROUPS = {
    "build": (
        Need(
            "python",
            (sys.executable, "--version"),
            "everything",
            advice="install Python 3.11 or newer",
            at_least=(3, 11),
        ),
        Need("venv", (sys.executable, "-c", "import ensurepip, venv"), "make", ("python3-venv",)),
        Need("cc", compiles("cc", "c"), "native code", ("gcc", "libc6-dev")),
        Need(
            "cargo",
            ("cargo", "--version"),
            "native code",
            advice="install Rust 1.89 or newer with rustup",
            at_least=(1, 89),
        ),
    ),
    "lint": (
        Need(
            "clippy", ("cargo", "clippy", "--version"), "lint", advice="rustup component add clippy"
        ),
        Need(
            "rustfmt", ("cargo", "fmt", "--version"), "lint", advice="rustup component add rustfmt"
        ),
    ),
    "metrics": (
        Need("prometheus", ("prometheus", "--version"), "metrics", ("prometheus",)),
        Need("promtool", ("promtool", "--version"), "alerts", ("prometheus",)),
    ),
    "disks": (
        Need("root", ("sh", "-c", "[ $(id -u) = 0 ] && echo root"), "mounts", advice=ROOT),
        Need("git", ("git", "--version"), "earlier versions", ("git",)),
        Need("mount", ("mount", "--version"), "small disks", ("mount",)),
        Need("mkfs.ext4", ("mkfs.ext4", "-V"), "small disks", ("e2fsprogs",)),
        Need(
            "fuse", ("sh", "-c", "[ -w /dev/fuse ] && echo /dev/fuse"), "a hung mount", advice=FUSE
        ),
    ),
    "browser": (
        Need("chromium", ("chromium", "--version"), "explorer tests", ("chromium",)),
        Need("chromedriver", ("chromedriver", "--version"), "explorer tests", ("chromium-driver",)),
    ),
    "linking": (
        Need("Python.h", (sys.executable, "-c", HEADERS), "peers of the races", ("python3-dev",)),
        Need("libpython", (sys.executable, "-c", LIBRARY), "tests in Rust", ("python3-dev",)),
    ),
    "peers": (
        Need("c++", compiles("c++", "c++"), "peers of the races", ("g++",)),
        Need("liberasurecode", ("sh", "-c", ERASURE), "pyeclib's races", ("liberasurecode-dev",)),
    ),
    "races": (Need("curl", ("curl", "--version"), "storage race", ("curl",)),),
    "kubernetes": (
        Need(
            "go",
            ("go", "version"),
            "Kubernetes tests",
            advice="install Go 1.26 or newer (https://go.dev)",
            at_least=(1, 26),
        ),
        Need("setpriv", ("setpriv", "--version"), "Kubernetes tests", ("util-linux",)),
    ),
    "node": (
        Need("containerd", ("containerd", "--version"), "node tests", ("containerd",)),
        Need("runc", ("runc", "--version"), "node tests", ("runc",)),
        Need("cni-plugins", ("sh", "-c", PLUGINS), "node tests", ("containernetworking-plugins",)),
        Need("buildah", ("buildah", "--version"), "the image", ("buildah",)),
        Need("debootstrap", ("debootstrap", "--version"), "the image", ("debootstrap",)),
        Need("iptables", ("iptables", "--version"), "node tests", ("iptables",)),
        Need("conntrack", ("conntrack", "--version"), "node tests", ("conntrack",)),
        Need("socat", ("socat", "-V"), "node tests", ("socat",)),
        Need("busybox", ("busybox",), "node tests", ("busybox-static",)),
        Need("iproute2", ("ip", "-V"), "node tests", ("iproute2",)),
    ),
}


def of_groups(names: tuple[str, ...]) -> tuple[Need, ...]:
    """The needs of groups, each one once."""
    return tuple(dict.fromkeys(need for name in names for need in GROUPS[name]))


def found(need: Need) -> str | None:
    """The first line the tool prints of itself, or None where it is missing or too old."""
    if shutil.which(need.probe[0]) is None:
        return None
    run = subprocess.run(need.probe, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return None
    line = (run.stdout or run.stderr).strip().splitlines()[:1] or ["present"]
    numbers = tuple(int(part) for part in re.findall(r"\d+", line[0])[: len(need.at_least)])
    return line[0] if numbers >= need.at_least else None
