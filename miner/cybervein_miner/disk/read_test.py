"""The test that ends a quarantine: what failed is read again, and with it a sample of the rest.

A few bad sectors are a few files: those are given up, and the disk works on. Where files of the
sample fail too, or the device itself is away, the disk is let rest. Nothing comes from the cache,
as far as the kernel does as it is asked.
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEAD: Final = frozenset(
    {errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EREMOTEIO, errno.ENOTCONN, errno.ESHUTDOWN}
)
"""Errors of a device that is away, whatever was asked."""
SAMPLE_FILES: Final = 16
_PIECE_BYTES: Final = 1 << 20
Choose = Callable[[Sequence[Path], int], Sequence[Path]]
_choose: Final[Choose] = secrets.SystemRandom().sample


@dataclass(frozen=True, slots=True)
class ReadTest:
    """`unreadable` of what was `tried` as it had failed; `sampled_bad` of what had not."""

    tried: frozenset[str]
    unreadable: frozenset[str]
    sampled_bad: frozenset[str]
    away: bool

    @property
    def passed(self) -> bool:
        """Whether the disk can work on without what is unreadable."""
        return not self.sampled_bad and not self.away


def probe_reads(
    failed: Iterable[str], folders: Iterable[Path], choose: Choose = _choose
) -> ReadTest:
    """Read whole what `failed`, and of other files in the folders some, at three places each."""
    tried = frozenset(failed)
    known = {name: _whole(Path(name)) for name in tried if Path(name).is_absolute()}
    others = [file for folder in folders for file in _files(folder) if str(file) not in known]
    chosen = choose(others, min(len(others), SAMPLE_FILES))
    sampled = {str(file): _sampled(file) for file in chosen}
    return ReadTest(
        tried,
        frozenset(name for name, error in known.items() if error),
        frozenset(name for name, error in sampled.items() if error),
        away=any(error.errno in DEAD for error in (known | sampled).values() if error),
    )


def _files(folder: Path) -> list[Path]:
    """Every name below it; what cannot be listed is not there."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def _whole(path: Path) -> OSError | None:
    return _read(path, lambda size: range(0, size + 1, _PIECE_BYTES))


def _sampled(path: Path) -> OSError | None:
    return _read(path, lambda size: (0, size // 2, max(0, size - _PIECE_BYTES)))


def _read(path: Path, places: Callable[[int], Iterable[int]]) -> OSError | None:
    """The error of the first piece that cannot be read; None of a file that is gone, or is none."""
    try:
        if not path.is_file():
            return None
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            for place in places(os.fstat(handle).st_size):
                os.pread(handle, _PIECE_BYTES, place)
        finally:
            os.close(handle)
    except (FileNotFoundError, PermissionError):
        return None  # of the file, not of the device
    except OSError as error:
        return error
    return None
