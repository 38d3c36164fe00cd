"""An OCI archive as the image specification lays it out: index, manifest, config, layers."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Archive:
    """One image in a tar file; paths in layers are relative, without a leading `./`."""

    path: Path

    def _read(self, name: str) -> bytes:
        with tarfile.open(self.path) as archive:
            member = archive.extractfile(name)
            assert member is not None, f"{name} is not a file of {self.path}"
            return member.read()

    def _blob(self, digest: str) -> bytes:
        return self._read(f"blobs/{digest.replace(':', '/')}")

    @cached_property
    def _entry(self) -> dict[str, Any]:
        (entry,) = json.loads(self._read("index.json"))["manifests"]
        return dict(entry)

    @property
    def name(self) -> str:
        """Name and tag that a container runtime knows it by after the import."""
        return str(self._entry["annotations"]["org.opencontainers.image.ref.name"])

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest: digests and sizes of config and layers."""
        return dict(json.loads(self._blob(self._entry["digest"])))

    @cached_property
    def configuration(self) -> bytes:
        """The config as it is stored: environment, labels, history."""
        return self._blob(self.manifest["config"]["digest"])

    @property
    def config(self) -> dict[str, Any]:
        """What a container starts with: User, Env, Entrypoint, Labels…"""
        return dict(json.loads(self.configuration)["config"])

    @property
    def packed_bytes(self) -> int:
        """What a node downloads."""
        return sum(int(layer["size"]) for layer in self.manifest["layers"])

    @contextmanager
    def _layer(self, digest: str) -> Iterator[tarfile.TarFile]:
        with tarfile.open(self.path) as archive:
            blob = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
            with tarfile.open(fileobj=blob, mode="r:*") as layer:
                yield layer

    def members(self) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        """Every file of every layer with its bytes (none for directories and links)."""
        for described in self.manifest["layers"]:
            with self._layer(described["digest"]) as layer:
                for member in layer:
                    content = layer.extractfile(member) if member.isreg() else None
                    yield member, content.read() if content else b""

    def unpack(self, target: Path) -> None:
        """Lay all layers over each other in `target`."""
        for described in self.manifest["layers"]:
            with self._layer(described["digest"]) as layer:
                layer.extraction_filter = lambda member, _: member  # extractall's `filter`: 3.11.4
                layer.extractall(target)  # noqa: S202 our own build
