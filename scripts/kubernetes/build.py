#!/usr/bin/env python3
"""Builds the Kubernetes programs that the tests run, once, into a cache outside the checkout.

The sources are Go modules pinned by `tools/*/go.mod` and verified by `tools/*/go.sum`; nothing is
fetched as a binary. One module per project, since their dependency graphs conflict. A program goes
to `${XDG_CACHE_HOME:-~/.cache}/cybervein/kubernetes/MODULE-DIGEST/bin/NAME` under a temporary name
and is renamed when complete, so a killed build leaves nothing half-made; DIGEST is that of the
module's pins. A first run takes about ten minutes on two cores, every later one less
than a second. Programs that `KUBEBUILDER_ASSETS` already holds are not built.

Standard library only: it runs before any environment exists.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "tools"
PARALLEL_COMPILES = 2  # a compile of the API server's packages takes up to 1 GB
VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Tool:
    """One program: the folder of the module that pins it, and its package."""

    module: str
    package: str


TOOLS = {  # in build order: what the tests need first comes first
    "etcd": Tool("etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Tool("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kubectl": Tool("kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    "kube-controller-manager": Tool("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": Tool("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kwok": Tool("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "helm": Tool("helm", "helm.sh/helm/v3/cmd/helm"),
    "kubeconform": Tool("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
    "kubelet": Tool("kubernetes", "k8s.io/kubernetes/cmd/kubelet"),
    "kube-proxy": Tool("kubernetes", "k8s.io/kubernetes/cmd/kube-proxy"),
    "coredns": Tool("coredns", "github.com/coredns/coredns"),
    "local-path-provisioner": Tool(
        "local-path-provisioner", "github.com/rancher/local-path-provisioner"
    ),
    "pause": Tool("pause", "cybervein/tools/pause"),
    "answer": Tool("answer", "cybervein/tools/answer"),
    "bucket": Tool("bucket", "cybervein/tools/bucket"),
}


def kubernetes_version() -> str:
    """The pinned version of Kubernetes, such as `v1.34.4`."""
    pins = (MODULES / "kubernetes" / "go.mod").read_text()
    found = re.search(r"k8s\.io/kubernetes (v\S+)", pins)
    if found is None:
        raise SystemExit("error: tools/kubernetes/go.mod pins no k8s.io/kubernetes; add a require")
    return found[1]


def cache() -> Path:
    """The folder of everything that was ever built."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "cybervein" / "kubernetes"


def key(module: str) -> str:
    """The name of a module's folder in the cache: other pins, another folder."""
    digest = hashlib.sha256()
    for path in sorted([*(MODULES / module).glob("go.*"), *(MODULES / module).glob("*.go")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{module}-{digest.hexdigest()[:12]}"


def located(name: str) -> Path:
    """Where program `name` is or will be: `KUBEBUILDER_ASSETS` first, then the cache."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).exists():
        return Path(assets) / name
    return cache() / key(TOOLS[name].module) / "bin" / name


def linker_flags() -> str:
    """No debug data, and the version that the programs report to each other."""
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s", "-w", *(f"-X {VERSION}.{name}={text}" for name, text in stamps.items())])


def build(name: str, target: Path) -> None:
    """Compile one program and rename it into place."""
    tool, partial = TOOLS[name], target.with_name(f".{name}.{os.getpid()}")
    command = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    command += ["-p", str(PARALLEL_COMPILES), "-ldflags", linker_flags()]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    try:
        subprocess.run(
            [*command, "-o", str(partial), tool.package],
            cwd=MODULES / tool.module,
            env=environment,
            check=True,
        )
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def build_missing(names: list[str]) -> None:
    """Build what is missing of `names`, one after the other, telling each one's seconds."""
    missing = [name for name in names if not located(name).exists()]
    for position, name in enumerate(missing, start=1):
        print(f"building {name} ({position} of {len(missing)}) …", flush=True)
        began = time.monotonic()
        located(name).parent.mkdir(parents=True, exist_ok=True)
        build(name, located(name))
        print(f"built {name} in {time.monotonic() - began:.0f} s", flush=True)


def main() -> int:
    """Build the named programs (all by default) and print where they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {' '.join(TOOLS)}")
    names = parser.parse_args().names or list(TOOLS)
    unknown = sorted(set(names) - set(TOOLS))
    if unknown:
        print(f"error: no such tool: {' '.join(unknown)}; of: {' '.join(TOOLS)}", file=sys.stderr)
        return 2
    if shutil.which("go") is None and any(not located(name).exists() for name in names):
        print("error: go is missing; install Go 1.26 or newer (https://go.dev)", file=sys.stderr)
        return 1
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once build each program once
        try:
            build_missing(names)
        except subprocess.CalledProcessError as failure:
            print(f"error: {' '.join(failure.cmd)} failed; see above", file=sys.stderr)
            return 1
    print(f"{len(names)} tools of Kubernetes {kubernetes_version()} are in {cache()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
