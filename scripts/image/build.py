"""Builds the image of every role into an OCI archive and prints its path.

Keeps archives outside the checkout, named by the hash of everything that went in, so that nothing
is built twice. With docker or podman the bases come from public registries; `--bases debian` makes
them from Debian packages with debootstrap and buildah (as root).

    python3 scripts/image/build.py [--bases public|debian] [--tag NAME:TAG] [--output FILE]

`--sources ARCHIVE` builds an earlier version's sources (earlier.py) with their own Dockerfile.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import earlier
import inputs
import roots
from engines import Buildah, Docker, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inputs import Identity

KEPT_ARCHIVES = 6


def cache_directory() -> Path:
    """Where bases, layers and archives stay: $CYBERVEIN_CACHE or the user's cache."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cybervein"
    return Path(os.environ.get("CYBERVEIN_CACHE", default)) / "image"


def engine(which: str, cache: Path) -> Docker | Buildah:
    """The program to build with: the daemon where public bases are wanted and one answers."""
    if which == "public" and Docker.present():
        return Docker()
    if Buildah.present():
        return Buildah(cache, debian_bases=which == "debian")
    raise SystemExit(
        "error: nothing to build images with: expected docker or buildah in PATH;"
        " as root: apt-get install buildah debootstrap"
    )


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Wait until no other build uses the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def sources(archive: Path | None) -> Iterator[tuple[Path, Identity]]:
    """What to build: this checkout, or an earlier version's archive."""
    if archive is None:
        yield inputs.ROOT, inputs.identity()
        return
    with earlier.unpacked(archive) as found:
        yield found


def build(which: str, tag: str, root: Path, made: Identity, cache: Path) -> Path:
    """Build if no archive of exactly these inputs is there; its path."""
    bases = roots.names() if which == "debian" else ()
    name = inputs.digest(which, *bases, tag, made.version, made.revision, root=root)
    archive = cache / "archives" / f"{name}.tar"
    if archive.exists():
        archive.touch()
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cybervein-image-") as place:
        registry = Path(place) / "registry"
        registry.write_text(inputs.registry_settings())
        secrets = {"registry": registry, "cargo": inputs.cargo_settings()}
        secrets["ca"] = inputs.trusted_certificates()
        created = datetime.fromtimestamp(made.created, UTC).isoformat()
        labels = {"VERSION": made.version, "REVISION": made.revision, "CREATED": created}
        labels["SOURCE"] = inputs.source()
        partial = archive.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        present = {name: path for name, path in secrets.items() if path is not None}
        engine(which, cache).build(Request(root, tag, labels, present, partial, made.created))
        partial.rename(archive)
    _forget_old(archive.parent)
    return archive


def _forget_old(directory: Path) -> None:
    """Keep the archives used last; the others can be built again."""
    by_age = sorted(directory.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[KEPT_ARCHIVES:]:
        path.unlink()


def main() -> int:
    """Parse, build, print the archive's path on standard output and what it took on the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bases", choices=("public", "debian"), default="public")
    parser.add_argument("--sources", type=Path, help="archive of scripts/image/earlier.py to build")
    parser.add_argument("--version", help="version label (default: the sources')")
    parser.add_argument("--tag", help="name of the image (default cybervein:VERSION)")
    parser.add_argument("--output", type=Path, help="copy the archive to this file as well")
    options = parser.parse_args()
    began = time.monotonic()
    cache = cache_directory()
    with alone(cache), sources(options.sources) as (root, found):
        made = replace(found, version=options.version or found.version)
        tag = options.tag or f"docker.io/library/cybervein:{made.version}"
        archive = build(options.bases, tag, root, made, cache)
    if options.output:
        shutil.copyfile(archive, options.output)
    megabytes = archive.stat().st_size / 1e6
    print(f"{tag}: {megabytes:.0f} MB, {time.monotonic() - began:.1f} s", file=sys.stderr)
    print(options.output or archive)
    return 0


if __name__ == "__main__":
    sys.exit(main())
