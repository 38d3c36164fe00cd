"""A backup: identity, network file and catalogue (so: every file key), under a passphrase.

File: `CVBACKUP` ‖ version byte 1 ‖ u32le ops ‖ u64le memory bytes ‖ 16-byte salt ‖ secretbox. The
key is Argon2id of the passphrase with that salt, ops and memory (libsodium's `crypto_pwhash`,
RFC 9106); the box is XSalsa20-Poly1305 with its nonce in front (libsodium's `secretbox`).
"""

import struct
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cybervein_protocol.encoding import Record, decode, encode
from cybervein_protocol.errors import ConflictError, LimitError, MalformedError, SignatureError
from cybervein_runtime.files import read_limited, write_atomic
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from cybervein_client.home import Home
from cybervein_client.wallet.leftovers import set_aside

_MAGIC: Final = b"CVBACKUP\x01"
_HEADER: Final = struct.Struct("<IQ")
_SALT_BYTES: Final = argon2id.SALTBYTES
_OPS_MIN, _OPS_MAX = argon2id.OPSLIMIT_MIN, 16
_MEMORY_MIN, _MEMORY_MAX = argon2id.MEMLIMIT_MIN, 1 << 30
PASSPHRASE_CHARS_MIN: Final = 8
BACKUP_BYTES_MAX: Final = 4 << 30


class _Contents(Record):
    v: Literal[1]
    identity: Annotated[bytes, msgspec.Meta(max_length=4096)]
    network: bytes
    catalogue: bytes


def write_backup(home: Home, catalogue: bytes, path: Path, passphrase: str) -> int:
    """Write the backup file (mode 0600); its size in bytes. `catalogue` is a database image."""
    if len(passphrase) < PASSPHRASE_CHARS_MIN:
        raise MalformedError(
            f"passphrase of {len(passphrase)} characters, at least {PASSPHRASE_CHARS_MIN} expected"
        )
    if path.exists():
        raise ConflictError(f"{path} exists; name another file for the backup")
    network = home.network_path.read_bytes() if home.network_path.exists() else b""
    identity = read_limited(home.identity_path, 4096)
    contents = _Contents(v=1, identity=identity, network=network, catalogue=catalogue)
    salt = random_bytes(_SALT_BYTES)
    ops, memory = argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE
    box = SecretBox(_key(passphrase, salt, ops, memory))
    data = _MAGIC + _HEADER.pack(ops, memory) + salt + box.encrypt(encode(contents))
    write_atomic(path, data)
    return len(data)


def restore_backup(home: Home, path: Path, passphrase: str) -> Path | None:
    """Put a backup's contents into a home without a wallet; where what was left there is now.

    Raises ConflictError if a wallet is there, MalformedError for a file that is no backup,
    SignatureError for a wrong passphrase.
    """
    if home.identity_path.exists():
        raise ConflictError(f"{home.directory} has a wallet; choose an empty --home")
    contents = _open(read_limited(path, BACKUP_BYTES_MAX), path, passphrase)
    other = contents.network and _differs(home.network_path, contents.network)
    aside = set_aside(home, *[home.network_path] * bool(other))
    write_atomic(home.catalogue_path, contents.catalogue)
    if contents.network:
        write_atomic(home.network_path, contents.network, mode=0o644)
    write_atomic(home.identity_path, contents.identity)
    return aside


def _differs(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() != data


def _open(data: bytes, path: Path, passphrase: str) -> _Contents:
    start = len(_MAGIC) + _HEADER.size
    if len(data) < start + _SALT_BYTES or not data.startswith(_MAGIC):
        raise MalformedError(
            f"{path} is no wallet backup; name a file that `cybervein wallet backup` wrote"
        )
    ops, memory = _HEADER.unpack(data[len(_MAGIC) : start])
    if not (_OPS_MIN <= ops <= _OPS_MAX and _MEMORY_MIN <= memory <= _MEMORY_MAX):
        raise LimitError(f"{path}: asks for {memory} bytes to derive its key; it is damaged")
    key = _key(passphrase, data[start : start + _SALT_BYTES], ops, memory)
    try:
        plain = SecretBox(key).decrypt(data[start + _SALT_BYTES :])
    except CryptoError as error:
        raise SignatureError(
            f"{path} does not open: wrong passphrase, or the file is damaged"
        ) from error
    return decode(plain, _Contents, str(path), BACKUP_BYTES_MAX)


def _key(passphrase: str, salt: bytes, ops: int, memory: int) -> bytes:
    return argon2id.kdf(
        SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=ops, memlimit=memory
    )
