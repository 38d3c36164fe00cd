"""The commands of a release, as values: build for both processors, list what is inside, sign.

Their options are those of buildx 0.20, buildah 1.35, syft 1.20 and cosign 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import inputs

if TYPE_CHECKING:
    from pathlib import Path

    from inputs import Identity

PLATFORMS = ("linux/amd64", "linux/arm64")
DIGEST = "<digest>"
"""Stands in a plan for what is known once the image is pushed."""

UV = inputs.ROOT / ".tools" / "uv" / "bin" / "uv"


@dataclass(frozen=True, slots=True)
class Release:
    """Where to, what, and with whose key; `folder` takes the bills of materials."""

    repository: str
    made: Identity
    key: str
    folder: Path

    @property
    def tagged(self) -> str:
        """The name that people pull."""
        return f"{self.repository}:{self.made.version}"

    @property
    def pinned(self) -> str:
        """The name that is signed: a tag can be moved, a digest cannot."""
        return f"{self.repository}@{DIGEST}"

    def file(self, name: str) -> str:
        """A file of the release's folder."""
        return str(self.folder / name)


Step = tuple[str, ...]


def plan(release: Release, engine: str) -> list[Step]:
    """Every command in its order."""
    building = with_docker(release) if engine == "docker" else with_buildah(release)
    return [*building, *describing(release), *signing(release)]


def with_docker(release: Release) -> list[Step]:
    """BuildKit builds both, and attaches its own bill of materials and provenance."""
    bake = str(inputs.ROOT / "scripts" / "image" / "bake.json")
    told = ("--metadata-file", release.file("build.json"))
    return [("docker", "buildx", "bake", "--file", bake, *told, "image")]


def with_buildah(release: Release) -> list[Step]:
    """One manifest list with an image for each processor; the other one needs QEMU's binfmt."""
    labels = arguments(release.made)
    given = [word for name, value in labels.items() for word in ("--build-arg", f"{name}={value}")]
    how = ("--format", "oci", "--layers", "--timestamp", str(release.made.created))
    both = ("--platform", ",".join(PLATFORMS), "--manifest", release.tagged)
    push = ("--all", "--digestfile", release.file("digest"))
    return [
        ("buildah", "build", *how, *both, *given, str(inputs.ROOT)),
        ("buildah", "manifest", "push", *push, release.tagged, f"docker://{release.tagged}"),
    ]


def describing(release: Release) -> list[Step]:
    """Python packages and crates by their lock files, and all that is found in each image."""
    lock = ("--frozen", "--no-dev", "--all-extras", "--format", "cyclonedx1.5", "--quiet")
    quiet = ("--preview-features", "sbom-export")
    python = (str(UV), "export", *lock, *quiet, "--output-file", release.file("python.cdx.json"))
    rust = ("syft", "scan", "file:native/Cargo.lock")
    crates = (*rust, "--output", f"cyclonedx-json={release.file('rust.cdx.json')}")
    found = [
        (
            *("syft", "scan", f"registry:{release.pinned}", "--platform", platform),
            *("--output", f"cyclonedx-json={release.file(bill(platform))}"),
        )
        for platform in PLATFORMS
    ]
    return [python, crates, *found]


def bill(platform: str) -> str:
    """The file with what an image holds."""
    return f"image-{platform.rpartition('/')[2]}.cdx.json"


def signing(release: Release) -> list[Step]:
    """The list of images and each in it is signed; each bill is attested by the same key."""
    key = ("--yes", "--key", release.key)
    kind = ("--type", "cyclonedx")
    return [
        ("cosign", "sign", "--recursive", *key, release.pinned),
        *(
            ("cosign", "attest", *key, *kind, "--predicate", release.file(name), release.pinned)
            for name in ("python.cdx.json", "rust.cdx.json", *map(bill, PLATFORMS))
        ),
    ]


def arguments(made: Identity) -> dict[str, str]:
    """Arguments of the build that become labels."""
    created = datetime.fromtimestamp(made.created, UTC).isoformat()
    return {
        "VERSION": made.version,
        "REVISION": made.revision,
        "CREATED": created,
        "SOURCE": inputs.source(),
    }
