"""Says what this machine lacks for CyberVein, and with `--install` puts in what Debian has.

Runs on the system's Python before anything of the project exists, so it uses the standard library
alone. Exit code 0 means that every needed tool is there, 1 that something is still missing.
"""

from __future__ import annotations

import argparse
import os
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
    debian: str | None = None
    advice: str = ""
    at_least: tuple[int, ...] = ()


BUILD = (
    Need(
        "python",
        (sys.executable, "--version"),
        "everything",
        advice="install Python 3.11 or newer",
        at_least=(3, 11),
    ),
    Need("venv", (sys.executable, "-c", "import ensurepip, venv"), "make", "python3-venv"),
    Need("cc", ("cc", "--version"), "native code", "gcc"),
    Need(
        "cargo",
        ("cargo", "--version"),
        "native code",
        advice="install Rust 1.89 or newer with rustup",
        at_least=(1, 89),
    ),
)
CHECK = (
    Need("clippy", ("cargo", "clippy", "--version"), "lint", advice="rustup component add clippy"),
    Need("rustfmt", ("cargo", "fmt", "--version"), "lint", advice="rustup component add rustfmt"),
    Need("chromium", ("chromium", "--version"), "explorer tests", "chromium"),
    Need("chromedriver", ("chromedriver", "--version"), "explorer tests", "chromium-driver"),
    Need("prometheus", ("prometheus", "--version"), "metrics and alerts", "prometheus"),
    Need("promtool", ("promtool", "--version"), "metrics and alerts", "prometheus"),
)
PEERS = (
    Need("c++", ("c++", "--version"), "peers of the races", "g++"),
    Need(
        "liberasurecode",
        ("sh", "-c", "ldconfig -p | grep -o 'liberasurecode.so.[0-9]*' | head -1 | grep ."),
        "pyeclib in the races",
        "liberasurecode-dev",
    ),
)
KUBERNETES = (
    Need(
        "go",
        ("go", "version"),
        "Kubernetes tests",
        advice="install Go 1.26 or newer (https://go.dev)",
        at_least=(1, 26),
    ),
    Need("setpriv", ("setpriv", "--version"), "Kubernetes tests", "util-linux"),
    Need("containerd", ("containerd", "--version"), "node tests", "containerd"),
    Need("runc", ("runc", "--version"), "node tests", "runc"),
    Need(
        "cni-plugins",
        ("sh", "-c", "cd /usr/lib/cni && ls bridge host-local portmap | tr '\n' ' '"),
        "node tests",
        "containernetworking-plugins",
    ),
    Need("buildah", ("buildah", "--version"), "node tests", "buildah"),
    Need("debootstrap", ("debootstrap", "--version"), "node tests", "debootstrap"),
    Need("iptables", ("iptables", "--version"), "node tests", "iptables"),
    Need("conntrack", ("conntrack", "--version"), "node tests", "conntrack"),
    Need("socat", ("socat", "-V"), "node tests", "socat"),
    Need("busybox", ("busybox",), "node tests", "busybox-static"),
    Need("mkfs.ext4", ("mkfs.ext4", "-V"), "node tests", "e2fsprogs"),
    Need("iproute2", ("ip", "-V"), "node tests", "iproute2"),
)
SETS = {
    "build": BUILD,
    "test": BUILD + CHECK,
    "bench": BUILD + PEERS,
    "kubernetes": BUILD + KUBERNETES,
    "all": BUILD + CHECK + PEERS + KUBERNETES,
}


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


def print_table(needs: tuple[Need, ...]) -> list[Need]:
    """Print one line for each need and return those that are missing."""
    missing = []
    print(f"{'tool':<16}{'used for':<22}found")
    for need in needs:
        version = found(need)
        if version is None:
            missing.append(need)
        remedy = f"MISSING: apt-get install {need.debian}" if need.debian else need.advice
        print(f"{need.name:<16}{need.used_for:<22}{version or remedy}")
    return missing


def install(missing: list[Need]) -> None:
    """Install the Debian packages of what is missing; only root can."""
    packages = sorted({need.debian for need in missing if need.debian})
    if not packages or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages],
    ):
        print("+", " ".join(command), flush=True)
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def main() -> int:
    """Print the table, install if asked, and print again what is still missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install missing Debian packages")
    parser.add_argument("--set", choices=sorted(SETS), default="all", help="what to look for")
    arguments = parser.parse_args()
    needs = SETS[arguments.set]
    missing = print_table(needs)
    if missing and arguments.install:
        install(missing)
        missing = [need for need in missing if found(need) is None]
    for need in missing:
        remedy = f"as root: apt-get install {need.debian}" if need.debian else need.advice
        print(f"error: {need.name} is missing ({need.used_for}); {remedy}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
