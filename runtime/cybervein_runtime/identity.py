"""A process' secret keys: created once, mode 0600, never cloned, never logged."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cybervein_protocol.errors import MalformedError, StorageError
from cybervein_protocol.signing import KeyPair

from cybervein_runtime.files import check_secret, read_limited, write_atomic

_FILE_BYTES_MAX = 4096
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Signing key, ECVRF seed (32 bytes) and X25519 sealing seed (32 bytes)."""

    keys: KeyPair
    vrf_seed: bytes = field(repr=False)
    seal_seed: bytes = field(repr=False)


def new_identity() -> Identity:
    """Fresh keys from the operating system's randomness."""
    return Identity(
        KeyPair(secrets.token_bytes(_SEED_BYTES)),
        secrets.token_bytes(_SEED_BYTES),
        secrets.token_bytes(_SEED_BYTES),
    )


def save_identity(path: Path, identity: Identity) -> None:
    """Write the identity file, mode 0600. Refuses to replace an existing one."""
    if path.exists():
        raise StorageError(f"{path} holds an identity already; move it away first")
    write_atomic(path, identity_json(identity))


def identity_json(identity: Identity) -> bytes:
    """The identity file's bytes: secret."""
    document = {
        "v": 1,
        "seed": identity.keys.seed.hex(),
        "vrf_seed": identity.vrf_seed.hex(),
        "seal_seed": identity.seal_seed.hex(),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def load_identity(path: Path) -> Identity:
    """The identity of a file. Raises for a malformed file or one that others can read."""
    identity = parse_identity(read_limited(path, _FILE_BYTES_MAX), str(path))
    check_secret(path)  # last: another file, named by mistake, is not to be hidden but told
    return identity


def parse_identity(data: bytes, what: str) -> Identity:
    """Like `load_identity`, of the file's bytes; `what` names them in errors."""
    try:
        document = json.loads(data)
        version = document["v"]
        seeds = [bytes.fromhex(document[name]) for name in ("seed", "vrf_seed", "seal_seed")]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise MalformedError(f"{what} is not an identity file; restore it from a backup") from error
    if version != 1 or any(len(seed) != _SEED_BYTES for seed in seeds):
        raise MalformedError(f"{what}: expected version 1 and seeds of {_SEED_BYTES} bytes")
    return Identity(KeyPair(seeds[0]), seeds[1], seeds[2])


def load_or_create_identity(path: Path) -> Identity:
    """The identity at `path`, created at the first call."""
    if not path.exists():
        save_identity(path, new_identity())
    return load_identity(path)
