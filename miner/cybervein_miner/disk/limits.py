"""How much of a disk may be ours, where its filesystem does not say so.

A claim of Kubernetes has a size, and many a storage class (local-path, host paths, NFS) gives a
folder of a larger filesystem for it and holds nobody to it. Files of JSON say bytes by disk path,
the later ones of them before the earlier; they are looked at again and again, so that a claim that
grows needs no restart. What was read once counts until it is read otherwise: a file that goes, or
is damaged while the miner runs, lifts no limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from cybervein_protocol.errors import MalformedError

FILE_BYTES_MAX: Final = 1 << 20
_SLACK_PARTS: Final = 64
"""Outboards and metadata are not promised beforehand: so much more is still no surprise."""
_Sizes = dict[str, Annotated[int, msgspec.Meta(ge=0)]]
_Look = tuple[int, int, int]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Bytes that may be ours on a disk, and that are, without what is being written."""

    size: int
    used: int

    @property
    def exceeded(self) -> bool:
        """Whether there is more than that, as the limit came later, or became smaller."""
        return self.used > self.size + self.size // _SLACK_PARTS


class Limits:
    """The limits of all disks; `used` tells how many bytes of ours are on a disk, by its id."""

    def __init__(
        self, files: Sequence[Path] = (), used: Callable[[str], int] = lambda _: 0
    ) -> None:
        self._files = tuple(files)
        self._known: dict[Path, tuple[_Look | None, _Sizes]] = {}
        self.used = used

    def check(self) -> None:
        """Raise MalformedError, naming it, for a file that is there and cannot be understood."""
        for file in self._files:
            look = _look(file)
            if look is not None:
                self._known[file] = (look, _read(file))

    def of(self, disk: str, *paths: Path) -> Allowance | None:
        """What a disk may have that is, or belongs, at one of `paths`; None: no limit."""
        if not self._files:
            return None
        files = map(self._sizes, self._files)
        named = [sizes[str(path)] for sizes in files for path in paths if str(path) in sizes]
        return Allowance(named[-1], self.used(disk)) if named else None

    def _sizes(self, file: Path) -> _Sizes:
        seen, sizes = self._known.get(file, (None, {}))
        look = _look(file)
        if look is None or look == seen:
            return sizes
        try:
            sizes = _read(file)
        except MalformedError as error:
            _log.warning("limits of disks stay as they were", problem=str(error))
        self._known[file] = (look, sizes)
        return sizes


def _look(file: Path) -> _Look | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _read(file: Path) -> _Sizes:
    try:
        with file.open("rb") as source:
            return msgspec.json.decode(source.read(FILE_BYTES_MAX), type=_Sizes)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(
            f'{file}: {error}; expected bytes by disk path, as in {{"/mnt/bay01": 4000000000000}}'
        ) from error
