"""Sources of an earlier version: one commit's inputs of the image, as `git archive` writes them.

Such an archive names its commit and has that commit's time on every file, so an image is built from
it as from a checkout of that version, with its own Dockerfile and lock files; a shallow clone will
do. To write one (the same bytes each time, but for the compression):

    python3 scripts/image/earlier.py COMMIT FILE.tar.gz
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import inputs
from inputs import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT_HEX = 40


@contextmanager
def unpacked(archive: Path) -> Iterator[tuple[Path, Identity]]:
    """The sources in a folder that goes away again, and what they are."""
    with tempfile.TemporaryDirectory(prefix="cybervein-sources-") as place:
        with tarfile.open(archive) as tar:
            commit = tar.pax_headers.get("comment", "")
            if len(commit) != COMMIT_HEX:
                raise SystemExit(
                    f"error: {archive} names no commit; write it with scripts/image/earlier.py"
                )
            created = int(tar.getmember(inputs.IGNORE).mtime)
        # Before 3.11.4 Python has no safe way to unpack; tar leaves nothing outside of the folder.
        plain = ("--no-same-owner", "--no-same-permissions")
        subprocess.run(["tar", "-x", *plain, "-f", archive, "-C", place], check=True)
        root = Path(place)
        yield root, Identity(inputs.version(root), commit, created)


def packed(commit: str, *, form: str) -> bytes:
    """The archive of a commit; `form` is "tar" or "tar.gz"."""
    ignore = _git("show", f"{commit}:{inputs.IGNORE}").decode()
    paths = [inputs.IGNORE, *inputs.kept(ignore)]
    return _git("archive", f"--format={form}", commit, "--", *paths)


def _git(*arguments: str) -> bytes:
    run = subprocess.run(["git", *arguments], cwd=inputs.ROOT, capture_output=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"error: git {arguments[0]}: {run.stderr.decode().strip()}")
    return run.stdout


if __name__ == "__main__":
    revision, target = sys.argv[1:]
    Path(target).write_bytes(packed(revision, form="tar.gz"))
