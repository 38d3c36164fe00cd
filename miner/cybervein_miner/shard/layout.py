"""Where a shard lies on its disk.

| under `cybervein/`                              | what                                     |
|-------------------------------------------------|------------------------------------------|
| `shards/<first two hex digits>/<root hex>`      | the bytes: `b3sum` shows the name        |
| `shards/<first two hex digits>/<root hex>.obao` | the outboard, where it is not empty      |
| `trash/<root hex>`                              | deleted, until its grace is over         |
| `tmp/<root hex>.<random>`                       | on its way in                            |
"""

import secrets
from pathlib import Path

from cybervein_miner.disk.disk import Disk


def shard_path(disk: Disk, root: bytes) -> Path:
    """The shard's file."""
    name = root.hex()
    return disk.folder("shards") / name[:2] / name


def trash_path(disk: Disk, root: bytes) -> Path:
    """Where a deleted shard waits."""
    return disk.folder("trash") / root.hex()


def incoming_path(disk: Disk, root: bytes) -> Path:
    """A fresh temporary name; what is found there at the start was never acknowledged."""
    return disk.folder("tmp") / f"{root.hex()}.{secrets.token_hex(4)}"
