"""An OCI image archive of a few files, written by hand: for images that need no build."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
TAG = "org.opencontainers.image.ref.name"


def write_image(archive: Path, program: Path, tag: str = "", *, links: Sequence[str] = ()) -> Path:
    """Write an image that holds one static program and runs it; returns the archive's path.

    `links` are further names of it in /bin, for a program that looks at how it is called.
    """
    layer = _tar({program.name: (program.read_bytes(), 0o755)}, links)
    config = _json(
        {
            "architecture": MACHINES[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _describe(config, CONFIG),
            "layers": [_describe(layer, LAYER)],
        }
    )
    named = {**_describe(manifest, MANIFEST), "annotations": {TAG: tag} if tag else {}}
    index = _json({"schemaVersion": 2, "manifests": [named]})
    blobs = {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (layer, config, manifest)}
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": index, **blobs}
    archive.write_bytes(_tar({name: (data, 0o644) for name, data in files.items()}))
    return archive


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _describe(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _tar(files: dict[str, tuple[bytes, int]], links: Sequence[str] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
        for name in links:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, f"/{next(iter(files))}"
            tar.addfile(entry)
    return buffer.getvalue()
