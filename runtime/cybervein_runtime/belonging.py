"""A data directory belongs to one network for good: its journal, ledger or catalogue is of it.

The network is written down beside the store at the first start. What an earlier release left has no
such file: there the store itself tells, where it holds a unit.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cybervein_protocol.encoding import cid_text, decode, parse_cid
from cybervein_protocol.errors import CyberVeinError, ForbiddenError, StorageError
from cybervein_protocol.ledger.units.unit import Unit
from multiformats import CID

from cybervein_runtime.files import read_limited, write_atomic

PIN: Final = "network.cid"
_PIN_BYTES_MAX: Final = 256


def belong(
    directory: Path, network: CID, what: str, units: Callable[[], Iterable[bytes]] = tuple
) -> None:
    """Write down whose network `directory` is, or raise ForbiddenError naming both networks.

    `what` is the store in words; `units` gives encoded units that it holds, newest first, and is
    asked where nothing is written down yet.
    """
    pin = directory / PIN
    there = _written(pin) if pin.exists() else _told(units())
    if there is not None and there != network:
        raise ForbiddenError(
            f"{directory}: the {what} there is of network {cid_text(there)}, this network.json is "
            f"of {cid_text(network)}; give back its own network.json, or another directory"
        )
    if not pin.exists():
        with suppress(StorageError):  # a directory that is full or read-only can still be read
            write_atomic(pin, f"{cid_text(network)}\n".encode(), mode=0o644)


def _written(pin: Path) -> CID:
    text = read_limited(pin, _PIN_BYTES_MAX).decode(errors="replace").strip()
    return parse_cid(text, f"network in {pin}")


def _told(units: Iterable[bytes]) -> CID | None:
    for raw in units:
        with suppress(CyberVeinError):
            return decode(raw, Unit, "unit of the store", len(raw)).network
    return None
