"""Builds the image for both processors, lists what is inside and signs it, in your own registry.

    python3 scripts/image/release.py --repository REGISTRY/NAME --key cosign.key [--plan]

Public tools do the work and the keys are yours: docker buildx (bake.json) or buildah builds and
pushes, uv and syft write the bills of materials (CycloneDX), cosign signs the digest and attests
them. The commands are in release_steps.py.
`--plan` prints the commands and runs none. Nothing is built while a tool is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import inputs
from engines import Docker
from release_steps import DIGEST, UV, Release, arguments, plan

if TYPE_CHECKING:
    from release_steps import Step

NEEDED = {
    "docker": "with buildx 0.20",
    "buildah": "1.35",
    "syft": "1.20",
    "cosign": "2.4",
    str(UV): "(make setup)",
}


def missing(steps: list[Step]) -> list[str]:
    """Tools of the plan that are not there, with the version whose options are used."""
    names = dict.fromkeys(step[0] for step in steps)
    return [f"{name} {NEEDED[name]}" for name in names if shutil.which(name) is None]


def pushed(folder: Path) -> str:
    """The digest that the build left; `sha256:…`."""
    plain, told = folder / "digest", folder / "build.json"
    if plain.exists():
        return plain.read_text().strip()
    return str(json.loads(told.read_text())["image"]["containerimage.digest"])


def carry_out(release: Release, steps: list[Step]) -> None:
    """Run them; raises SystemExit at the first that fails."""
    variables = arguments(release.made) | {
        "REPOSITORY": release.repository,
        "SOURCE_DATE_EPOCH": str(release.made.created),
    }
    release.folder.mkdir(parents=True, exist_ok=True)
    digest = ""
    for step in steps:
        if any(DIGEST in word for word in step):
            digest = digest or pushed(release.folder)
        words = [word.replace(DIGEST, digest) for word in step]
        print(f"$ {shlex.join(words)}", flush=True)
        run = subprocess.run(words, cwd=inputs.ROOT, env={**os.environ, **variables}, check=False)
        if run.returncode != 0:
            raise SystemExit(f"error: {words[0]} ended with {run.returncode}: see its output above")
    print(f"released {release.repository}@{digest}; bills of materials are in {release.folder}")


def main() -> int:
    """Parse, then print the plan or carry it out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repository", required=True, help="where to push, such as REGISTRY/NAME")
    parser.add_argument("--key", required=True, help="cosign's private key: a file or a KMS URI")
    parser.add_argument("--engine", choices=("docker", "buildah"), help="default: what is there")
    parser.add_argument("--folder", type=Path, default=Path("release"), help="for the bills")
    parser.add_argument("--plan", action="store_true", help="print the commands and run none")
    options = parser.parse_args()
    engine = options.engine or ("docker" if Docker.present() else "buildah")
    folder = options.folder.absolute()
    release = Release(options.repository, inputs.identity(), options.key, folder)
    steps = plan(release, engine)
    if options.plan:
        print("\n".join(shlex.join(step) for step in steps))
        return 0
    if lacking := missing(steps):
        print(f"error: install {', '.join(lacking)}, or newer; nothing was built", file=sys.stderr)
        return 1
    if release.made.revision.endswith("-dirty"):
        print("error: the checkout has changes that no commit names; commit them", file=sys.stderr)
        return 1
    carry_out(release, steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
