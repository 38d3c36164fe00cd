"""The `kubectl` of the person, with JSON going in and coming out."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cybervein_protocol.errors import CyberVeinError, UnavailableError, UnknownError

Object = dict[str, Any]
CALL_SECONDS = 120
GROUP = "cybervein.io"


class KubectlError(CyberVeinError):
    """kubectl refused; its own words are the message."""

    code = "kubernetes"


@dataclass(frozen=True)
class Kubectl:
    """kubectl in one namespace; empty means what the kubeconfig's context says."""

    namespace: str = ""
    context: str = ""
    everywhere: bool = False

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Its standard output. Raises KubectlError, UnavailableError, UnknownError."""
        command = [_program(), *self._flags(), *arguments]
        try:
            run = subprocess.run(  # noqa: S603 -- arguments are a list, no shell reads them
                command,
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"kubectl {arguments[0]} did not end in {CALL_SECONDS} s"
            ) from error
        if run.returncode != 0:
            raise _refusal(run.stderr.strip(), arguments)
        return run.stdout

    def _flags(self) -> list[str]:
        flags = ["--namespace", self.namespace] if self.namespace else []
        return flags + (["--context", self.context] if self.context else [])

    def list(self, kinds: str, *flags: str) -> list[Object]:
        """All objects of these kinds (comma-separated); a selector narrows."""
        wide = ["--all-namespaces"] if self.everywhere else []
        text = self("get", kinds, "-o", "json", "--ignore-not-found", *wide, *flags)
        items: list[Object] = json.loads(text)["items"] if text else []
        return items

    def get(self, kind: str, name: str) -> Object:
        """One object. Raises UnknownError."""
        found: Object = json.loads(self("get", kind, name, "-o", "json"))
        return found

    def find(self, kind: str, name: str) -> Object | None:
        """One object, or None."""
        text = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text else None

    def merge(self, kind: str, name: str, body: Object) -> None:
        """JSON merge patch on the server; a `resourceVersion` in it makes it conditional."""
        self("patch", kind, name, "--type=merge", "-p", json.dumps(body))

    def raw(self, path: str) -> str:
        """What the API server answers at a path."""
        return self("get", "--raw", path)


def _program() -> str:
    """The program: `KUBECTL` names another one."""
    found = shutil.which(os.environ.get("KUBECTL", "kubectl"))
    if found is None:
        raise UnavailableError(
            "kubectl is not on the PATH; install it (https://kubernetes.io/docs/tasks/tools) "
            "or name it in KUBECTL"
        )
    return found


def _refusal(text: str, arguments: Sequence[str]) -> CyberVeinError:
    """What kubectl complained of, as one of our errors."""
    if "(NotFound)" in text:
        return UnknownError(text.partition("): ")[2] or text)
    if "the server doesn't have a resource type" in text:
        return UnavailableError(
            "this cluster has no CyberVein resources; install the chart (docs/operations.md)"
        )
    if "was refused" in text or "connection" in text or "i/o timeout" in text:
        return UnavailableError(f"the cluster does not answer: {text}")
    return KubectlError(f"kubectl {arguments[0]}: {text or 'failed without a word'}")
