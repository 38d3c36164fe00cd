"""Which filesystem a directory is on: its UUID and its drive's serial, as far as the kernel tells.

Both may be unknown ("": tmpfs, network mounts, containers without /dev/disk). An unknown name is
never held against a disk; a known one that differs from the marker's is.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BY_UUID = Path("/dev/disk/by-uuid")
_BLOCK = Path("/sys/dev/block")
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Device:
    """Names of the filesystem and drive under a path; "" where unknown."""

    filesystem: str
    serial: str

    def contradicts(self, other: "Device") -> bool:
        """Whether both are known and differ. The UUID decides, else the serial."""
        if self.filesystem and other.filesystem:
            return self.filesystem != other.filesystem
        return bool(self.serial and other.serial and self.serial != other.serial)


def device_of(path: Path) -> Device:
    """The device under `path`. Raises OSError if `path` cannot be read."""
    number = _block_number(path.stat().st_dev)
    return Device(_uuid(number), _serial(number))


def filesystem_number(path: Path) -> int:
    """A number that directories on one filesystem share. Raises OSError."""
    return _block_number(path.stat().st_dev)


def _block_number(device: int) -> int:
    """The block device behind a mount: itself, or its source for anonymous ones (btrfs)."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in _MOUNTS.read_text().splitlines():
            fields, _, tail = line.partition(" - ")
            if fields.split()[2] == wanted:
                return Path(tail.split()[1]).stat().st_rdev or device
    return device


def _uuid(number: int) -> str:
    with suppress(OSError):
        for link in sorted(_BY_UUID.iterdir()):
            if link.stat().st_rdev == number:
                return link.name
    return ""


def _serial(number: int) -> str:
    """The drive's serial; a partition's drive is its parent directory in sysfs."""
    with suppress(OSError):
        block = (_BLOCK / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
        for place in (block, block / "device", block.parent, block.parent / "device"):
            with suppress(OSError):
                return (place / "serial").read_text().strip()
    return ""
