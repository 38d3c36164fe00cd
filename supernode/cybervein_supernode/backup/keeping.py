"""Which snapshots a vault has, and which it may forget."""

from pathlib import PurePosixPath
from typing import Final

import structlog
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnknownError

from cybervein_supernode.backup.manifest import (
    MANIFEST,
    MANIFEST_BYTES_MAX,
    Manifest,
    decode_manifest,
    evidence_of,
    place_of,
    taken_of,
)
from cybervein_supernode.backup.vault import Vault

_log = structlog.get_logger()
LATEST: Final = "latest"
UNFINISHED_SECONDS: Final = 86_400.0
"""What has no manifest after a day is of a snapshot that was broken off."""


def network_names(vault: Vault) -> list[str]:
    """The networks of which there are snapshots."""
    return sorted({PurePosixPath(each).parts[0] for each in vault.names("") if _is_manifest(each)})


def snapshots(vault: Vault, network: str) -> list[Manifest]:
    """Every whole snapshot of a network, oldest first; one that cannot be read is left out."""
    found = []
    for place in vault.names(f"{network}/snapshots"):
        if not _is_manifest(place):
            continue
        try:
            data = vault.read(place, MANIFEST_BYTES_MAX)
            manifest = decode_manifest(data, f"{vault.what}/{place}")
            if place_of(manifest.network, manifest.name) != place:
                raise ConflictError(f"{vault.what}/{place} is the manifest of {manifest.name}")
            found.append(manifest)
        except CyberVeinError as error:
            _log.warning("a snapshot cannot be read and is left out", error=str(error))
    return sorted(found, key=lambda each: (each.taken, each.name))


def choose(vault: Vault, network: str | None, name: str = LATEST) -> Manifest:
    """The snapshot of that name, or the newest. Raises UnknownError or ConflictError."""
    if network is None:
        network = _only_network(vault)
    found = snapshots(vault, network)
    if not found:
        raise UnknownError(
            f"{vault.what} has no snapshot of network {network}; name the right vault"
        )
    if name == LATEST:
        return found[-1]
    for each in found:
        if each.name == name:
            return each
    raise UnknownError(
        f"{vault.what} has no snapshot {name} of network {network}; the newest is {found[-1].name}"
    )


def prune(vault: Vault, network: str, keep: int, evidence_epochs: int, now: float) -> list[str]:
    """Forget all but the newest `keep` snapshots, and evidence that none of them needs."""
    found = snapshots(vault, network)
    kept, old = found[-keep:], found[:-keep]
    for each in old:
        vault.drop(place_of(network, each.name))  # first: what has no manifest is no snapshot
        for file in each.files:
            vault.drop(place_of(network, each.name, file.name))
    _drop_unfinished(vault, network, {each.name for each in found}, now)
    if kept:
        _drop_evidence(vault, network, min(each.epoch for each in kept) - evidence_epochs)
    return [each.name for each in old]


def _drop_unfinished(vault: Vault, network: str, whole: set[str], now: float) -> None:
    for place in vault.names(f"{network}/snapshots"):
        name = PurePosixPath(place).parts[-2]
        taken = taken_of(name)
        if name not in whole and taken is not None and now - taken > UNFINISHED_SECONDS:
            vault.drop(place)


def _drop_evidence(vault: Vault, network: str, before: int) -> None:
    for place in vault.names(evidence_of(network)):
        epoch = PurePosixPath(place).parts[-2]
        if epoch.isdecimal() and int(epoch) < before:
            vault.drop(place)


def _only_network(vault: Vault) -> str:
    found = network_names(vault)
    if not found:
        raise UnknownError(f"{vault.what} has no snapshot; name a directory or bucket that has")
    if len(found) > 1:
        raise ConflictError(
            f"{vault.what} has snapshots of networks {', '.join(found)}; give --network FILE"
        )
    return found[0]


def _is_manifest(place: str) -> bool:
    return PurePosixPath(place).name == MANIFEST
