"""Programs that build an image: docker, podman, or buildah alone.

Each takes the same request and leaves an OCI archive. Secrets are mounted for single steps.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import inputs
import roots

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """What to build: sources, tag, build arguments, secrets by id, and the archive to write."""

    root: Path
    tag: str
    arguments: dict[str, str]
    secrets: dict[str, Path]
    archive: Path
    created: int


def _command(*command: str | Path) -> str:
    """Run a program, the build's own output on our standard error; standard output back."""
    words = [str(word) for word in command]
    run = subprocess.run(words, text=True, stdout=subprocess.PIPE, check=False)
    if run.returncode == 0:
        return run.stdout.strip()
    if run.stdout:
        print(run.stdout, file=sys.stderr)
    raise SystemExit(f"error: {' '.join(words)} ended with {run.returncode}: see its output above")


def _options(request: Request) -> list[str]:
    """Options that docker, podman and buildah share."""
    options = ["--file", str(inputs.dockerfile(request.root))]
    for name, value in request.arguments.items():
        options += ["--build-arg", f"{name}={value}"]
    for name, path in request.secrets.items():
        options += ["--secret", f"id={name},src={path}"]
    return options


class Docker:
    """BuildKit through `docker buildx`."""

    @staticmethod
    def present() -> bool:
        """Whether a docker daemon answers."""
        if shutil.which("docker") is None:
            return False
        run = subprocess.run(["docker", "version"], capture_output=True, check=False)
        return run.returncode == 0

    def build(self, request: Request) -> None:
        """Build and export."""
        output = f"type=oci,dest={request.archive},name={request.tag},rewrite-timestamp=true"
        moment = ["--build-arg", f"SOURCE_DATE_EPOCH={request.created}"]
        options = [*_options(request), *moment, "--output", output]
        _command("docker", "buildx", "build", *options, request.root)


class Buildah:
    """buildah in storage of its own, for machines without a daemon; podman shares its options."""

    def __init__(self, cache: Path, *, debian_bases: bool) -> None:
        self.storage = cache / "storage"
        self.cache = cache
        self.debian_bases = debian_bases

    @staticmethod
    def present() -> bool:
        """Whether buildah is installed."""
        return shutil.which("buildah") is not None

    def _buildah(self, *arguments: str | Path) -> str:
        driver = os.environ.get("STORAGE_DRIVER", "overlay")
        places = ["--root", f"{self.storage}/root", "--runroot", f"{self.storage}/run"]
        return _command("buildah", *places, "--storage-driver", driver, *arguments)

    def build(self, request: Request) -> None:
        """Build in a chroot, which needs no kernel feature that a container may lack."""
        arguments = dict(request.arguments)
        if self.debian_bases:
            names = roots.ensure(self._buildah, self.cache)
            arguments |= dict(zip(("BUILD_BASE", "RUNTIME_BASE"), names, strict=True))
        options = _options(replace(request, arguments=arguments))
        how = ["--isolation", "chroot", "--format", "oci", "--layers"]
        how += ["--pull-never"] if self.debian_bases else []
        moment = ["--timestamp", str(request.created)]
        self._buildah("bud", *how, *moment, *options, "--tag", request.tag, request.root)
        self._buildah("push", request.tag, f"oci-archive:{request.archive}:{request.tag}")
