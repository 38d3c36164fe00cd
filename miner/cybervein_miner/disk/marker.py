"""The marker: a signed file that says "this directory is disk D of miner M, on this filesystem".

Without it a miner whose mount is missing would fill the root filesystem under the mount point, and
one that is handed another miner's disk would delete what it does not know.
"""

import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cybervein_protocol.encoding import U63, Bytes32, Bytes64, Record, decode, encode
from cybervein_protocol.errors import ForbiddenError
from cybervein_protocol.signing import KeyPair, address, sign_record, verify_record
from cybervein_runtime.files import read_limited, write_atomic

from cybervein_miner.disk.device import Device, device_of

CONTEXT: Final = "cybervein disk marker v1"
FOLDER: Final = "cybervein"
NAME: Final = "disk.marker"
ID_BYTES: Final = 16
_BYTES_MAX = 1024
_IMPRINT_BYTES = 7  # an integer of the journal
_Name = Annotated[str, msgspec.Meta(max_length=256)]


class Marker(Record):
    """Version 1. `filesystem` (UUID) and `serial` are "" where unknown when it was written."""

    v: Literal[1]
    miner: Bytes32
    disk: Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
    filesystem: _Name
    serial: _Name
    created: U63
    sig: Bytes64


def marker_path(path: Path) -> Path:
    """Where the marker of the disk at `path` lies."""
    return path / FOLDER / NAME


def imprint_of(path: Path) -> int:
    """A number of the marker's file that no copy of it has: its inode and when that was changed.

    Nothing that copies files can set either. It outlives a restart and another mount point, but not
    on filesystems that make inode numbers up (some FUSE): there it differs. Raises OSError.
    """
    stat = marker_path(path).stat()
    text = f"{stat.st_ino} {stat.st_ctime_ns}".encode()
    return int.from_bytes(blake2b(text, digest_size=_IMPRINT_BYTES).digest())


def create_marker(path: Path, key: KeyPair, now: int) -> Marker:
    """Claim `path` as a new disk of this miner. Raises StorageError or OSError."""
    device = device_of(path)
    unsigned = Marker(
        v=1,
        miner=key.public,
        disk=secrets.token_bytes(ID_BYTES),
        filesystem=device.filesystem,
        serial=device.serial,
        created=now,
        sig=bytes(64),
    )
    marker = sign_record(CONTEXT, unsigned, key)
    write_atomic(marker_path(path), encode(marker))
    return marker


def read_marker(path: Path, miner: bytes) -> Marker:
    """The valid marker of this miner at `path`.

    Raises UnknownError where there is none, ForbiddenError where it is another miner's or a copy on
    another filesystem, StorageError, MalformedError or SignatureError where it is damaged.
    """
    file = marker_path(path)
    marker = decode(read_limited(file, _BYTES_MAX), Marker, f"disk marker {file}", _BYTES_MAX)
    verify_record(CONTEXT, marker, marker.miner, f"disk marker {file}")
    if marker.miner != miner:
        raise ForbiddenError(
            f"{path} belongs to miner {address(marker.miner)}, this is {address(miner)}; "
            "mount the right disk or give another path"
        )
    _check_device(path, marker)
    return marker


def _check_device(path: Path, marker: Marker) -> None:
    written, here = Device(marker.filesystem, marker.serial), device_of(path)
    if written.contradicts(here):
        raise ForbiddenError(
            f"{path}: the marker was written on filesystem {written.filesystem or written.serial}, "
            f"this is {here.filesystem or here.serial}; mount the original, never a copy"
        )
