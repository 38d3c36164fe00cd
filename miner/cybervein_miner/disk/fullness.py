"""A filesystem that refuses files although it has free blocks: quota, inodes, reserved blocks.

What it said is believed until it takes a file again or has visibly more room; meanwhile it is tried
once in a while, and other disks take what comes.
"""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cybervein_miner.disk.space import FILES_MIN, NONE, Space

FULL: Final = "full"
NO_INODES: Final = "no inodes"
QUOTA: Final = "quota"
PAUSE_SECONDS: Final = 120.0
_GROWN_BYTES: Final = 1 << 20


@dataclass(eq=False, slots=True)
class Fullness:
    """`kind` is what was met, "" while files are taken."""

    clock: Callable[[], float] = time.monotonic
    kind: str = ""
    _then: Space = NONE
    _until: float = 0.0

    def refused(self, error: OSError, space: Space) -> None:
        """The filesystem refused a write, with that much space left."""
        self.kind = QUOTA if error.errno == errno.EDQUOT else without_files(space) or FULL
        self._then, self._until = space, self.clock() + PAUSE_SECONDS

    def taken(self) -> None:
        """It took a file."""
        self.kind = ""

    def stands(self, space: Space) -> bool:
        """Whether nothing is to be tried now; more room than then ends it."""
        if space.free > self._then.free + _GROWN_BYTES or _more_files(self._then, space):
            self.kind = ""
        return bool(self.kind) and self.clock() < self._until


def without_files(space: Space) -> str:
    """`no inodes` where a shard or plot could not even be created."""
    return NO_INODES if space.files is not None and space.files < FILES_MIN else ""


def _more_files(then: Space, now: Space) -> bool:
    if then.files is None or now.files is None:
        return False
    return then.files < FILES_MIN <= now.files
