"""Whose keys mine here: made once in the data directory, or read from a mounted secret.

A data directory belongs to one identity for good. The journal knows plots, orders and claims of
that key alone, and a miner that runs elsewhere under the same key would answer for the same plots.
"""

from pathlib import Path

from cybervein_protocol.errors import ForbiddenError
from cybervein_protocol.signing import address
from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.identity import Identity, load_identity, load_or_create_identity

from cybervein_miner.node.settings import Settings

_ADDRESS_BYTES_MAX = 256


def identity_of(settings: Settings) -> Identity:
    """The miner's keys. Raises ForbiddenError where the data belongs to another identity."""
    if settings.identity is None:
        identity = load_or_create_identity(settings.identity_file)
    else:
        identity = load_identity(settings.identity)
        if settings.identity_file.exists():
            _require(settings.data, load_identity(settings.identity_file), identity)
    _claim(settings, address(identity.keys.public))
    return identity


def _claim(settings: Settings, own: str) -> None:
    """Write the owner down, or compare with who was here before."""
    file = settings.owner_file
    if not file.exists():
        write_atomic(file, f"{own}\n".encode(), mode=0o644)
        return
    owner = read_limited(file, _ADDRESS_BYTES_MAX).decode(errors="replace").strip()
    if owner != own:
        raise _foreign(settings.data, owner, own)


def _require(data: Path, there: Identity, given: Identity) -> None:
    if there.keys.public != given.keys.public:
        raise _foreign(data, address(there.keys.public), address(given.keys.public))


def _foreign(data: Path, owner: str, own: str) -> ForbiddenError:
    return ForbiddenError(
        f"{data} belongs to miner {owner}, this identity is {own}; identities are never cloned nor "
        "swapped: give this one an empty directory, or give back the identity that belongs here"
    )
