"""The real `kubectl`, for what a person would type; `api.py` is for everything else."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ports import free_ports, listens
from waiting import DEADLINE_SECONDS, until

from cluster.rest import Endpoint
from cluster.tools import tool


class KubectlError(RuntimeError):
    """kubectl failed; its text is what it printed to stderr."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl as one user, in one namespace."""

    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> "Kubectl":
        """The same user in another namespace."""
        return replace(self, namespace=namespace)

    def login(self, kubeconfig: Path) -> "Kubectl":
        """Another user in the same namespace."""
        return replace(self, kubeconfig=kubeconfig)

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run it and return its stdout; raises KubectlError with its stderr."""
        command = [str(tool("kubectl")), "-n", self.namespace, *arguments]
        run = subprocess.run(
            command,
            input=stdin,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        if run.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {run.stderr.strip()}")
        return run.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start what keeps running (`get --watch`): its stdout is a pipe; the caller ends it."""
        command = [str(tool("kubectl")), "-n", self.namespace, *arguments]
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def apply_file(self, path: Path) -> None:
        """Server-side apply of a YAML or JSON file or folder."""
        self("apply", "--server-side", "--force-conflicts", "--field-manager=test", "-f", str(path))


@contextmanager
def proxied(kubectl: Kubectl) -> Iterator[Endpoint]:
    """Where `kubectl proxy` serves the API of its user, however that user logs in."""
    (port,) = free_ports(1)
    process = kubectl.start("proxy", f"--port={port}")
    try:
        until(lambda: listens(port), "kubectl proxy serves")
        yield Endpoint("127.0.0.1", port)
    finally:
        process.kill()
        process.wait()
