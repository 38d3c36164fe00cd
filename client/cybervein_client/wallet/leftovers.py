"""What another wallet left in a home that has none now: set aside, never mixed in, never lost.

A log of SQLite (`-wal`) beside a catalogue that is not its own would be written into that one, and
a pinned network would refuse the network of the wallet that comes.
"""

import secrets
from itertools import count
from pathlib import Path

from cybervein_protocol.errors import StorageError
from cybervein_runtime.belonging import PIN
from cybervein_runtime.files import sync_directory, write_atomic
from cybervein_runtime.reasons import refused_file

from cybervein_client.home import Home

_PARTS = ("", "-wal", "-shm", "-journal")


def set_aside(home: Home, *more: Path) -> Path | None:
    """The folder that has the old catalogue, its network and `more` now; None if none is there.

    Copied whole before the first goes: a crash never leaves a catalogue apart from its log.
    """
    catalogue = home.catalogue_path
    wanted = [catalogue.with_name(catalogue.name + part) for part in _PARTS]
    found = [path for path in (*wanted, home.directory / PIN, *more) if path.exists()]
    if not found:
        return None
    aside = next(free for number in count(1) if not (free := _named(home, number)).exists())
    half = aside.with_name(f".{aside.name}.{secrets.token_hex(4)}.tmp")
    try:
        half.mkdir(mode=0o700)
        for path in found:
            write_atomic(half / path.name, path.read_bytes())
        half.rename(aside)
        sync_directory(home.directory)
        for path in found:
            path.unlink()
        sync_directory(home.directory)
    except OSError as error:
        raise StorageError(refused_file(f"cannot set aside {found[0]}", error)) from error
    return aside


def _named(home: Home, number: int) -> Path:
    return home.directory / f"left-behind-{number}"
