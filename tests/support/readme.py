"""The README's blocks of commands, and a place to run them as they stand."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
BLOCKS = [
    [line.removeprefix("$ ") for line in block.splitlines()]
    for block in BLOCK.findall((ROOT / "README.md").read_text())
]


def block_with(text: str) -> list[str]:
    """The one block of commands that holds this text."""
    [found] = [block for block in BLOCKS if any(text in line for line in block)]
    return found


def new_workshop(folder: Path) -> Path:
    """An empty directory with the README and the environment in it."""
    (folder / "README.md").write_bytes((ROOT / "README.md").read_bytes())
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def shell(
    workshop: Path, lines: list[str], environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run lines as one script that stops at the first failure."""
    script = "\n".join(["set -eu", *lines])
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=workshop,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
