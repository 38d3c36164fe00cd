"""The real `kubectl`, with JSON going in and coming out."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cluster.tools import tool
from cluster.waiting import until

Object = dict[str, Any]
CALL_SECONDS = 240  # a thousand objects in one call, on a busy machine


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
            timeout=CALL_SECONDS,
            check=False,
        )
        if run.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {run.stderr.strip()}")
        return run.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it, for what keeps running: its stdout is a pipe; the caller ends it."""
        command = [str(tool("kubectl")), "-n", self.namespace, *arguments]
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def get(self, kind: str, name: str) -> Object | None:
        """One object, or None where there is none."""
        text = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text else None

    def list(self, kind: str, *flags: str) -> "list[Object]":
        """All objects of a kind; flags such as `-l app=x` or `-A` narrow or widen."""
        items: list[Object] = json.loads(self("get", kind, "-o", "json", *flags))["items"]
        return items

    def apply(self, *objects: Object, flags: tuple[str, ...] = ()) -> None:
        """Server-side apply, as field manager `test`."""
        documents = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=test",
            *flags,
            "-f",
            "-",
            stdin=documents,
        )

    def apply_file(self, path: Path) -> None:
        """Server-side apply of a YAML or JSON file or folder."""
        self("apply", "--server-side", "--force-conflicts", "--field-manager=test", "-f", str(path))

    def delete(self, kind: str, name: str, *flags: str) -> None:
        """Delete one object; it may be gone already."""
        self("delete", kind, name, "--ignore-not-found", *flags)

    def patch(self, kind: str, name: str, body: Object, *flags: str) -> None:
        """JSON merge patch (`--subresource=status` for a status)."""
        self("patch", kind, name, "--type=merge", "-p", json.dumps(body), *flags)

    def wait(
        self,
        kind: str,
        name: str,
        met: Callable[[Object], object],
        what: str,
        *,
        timeout_seconds: float = 60,
    ) -> Object:
        """The object once it exists and `met` holds of it."""

        def look() -> Object | None:
            found = self.get(kind, name)
            return found if found is not None and met(found) else None

        def diagnose() -> str:
            return json.dumps(self.get(kind, name), indent=1)

        found = until(
            look,
            f"{kind} {self.namespace}/{name} {what}",
            timeout_seconds=timeout_seconds,
            diagnose=diagnose,
        )
        assert found is not None
        return found

    def wait_gone(self, kind: str, name: str, *, timeout_seconds: float = 60) -> None:
        """Return once the object does not exist."""
        until(
            lambda: self.get(kind, name) is None,
            f"{kind} {self.namespace}/{name} is gone",
            timeout_seconds=timeout_seconds,
        )
