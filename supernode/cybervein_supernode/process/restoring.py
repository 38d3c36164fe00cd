"""Putting a snapshot back into a directory that has no ledger.

The ledger's rename is the last step: a restore that was broken off left no ledger, so the next one
begins anew. What the chain had beyond the snapshot is gone, and its heights will be signed again
(ADR 82); `restored.json` says so to everybody who asks this super node.
"""

import os
import re
import shutil
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog
from blake3 import blake3
from cybervein_protocol.api.super_node.backup import RestoredDocument
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError, CyberVeinError, ProofError, UnknownError
from cybervein_protocol.ledger.chain.block import block_id, decode_block, verify_block
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.signing import address
from cybervein_runtime.files import sync_directory, write_atomic
from cybervein_runtime.identity import load_identity
from cybervein_runtime.lock import alone
from cybervein_runtime.network_file import NetworkFile, load_network

from cybervein_supernode.backup.keeping import LATEST, choose
from cybervein_supernode.backup.manifest import (
    LEDGER_FILE,
    NETWORK_FILE,
    NOTEBOOK_FILE,
    Manifest,
    evidence_of,
    place_of,
)
from cybervein_supernode.backup.snapshot import check_ledger
from cybervein_supernode.backup.vault import Vault
from cybervein_supernode.chain.database import open_reader
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.founding import take_identity

_log = structlog.get_logger()
_SCRATCH: Final = ".restoring"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_BLOCKS: Final = "SELECT bytes FROM block ORDER BY height"


def restore(
    vault: Vault,
    home: SuperNodeHome,
    *,
    snapshot: str = LATEST,
    identity: Path | None = None,
    pinned: Path | None = None,
) -> Manifest:
    """Put a snapshot back. `identity` and `pinned` are used where they exist.

    Raises ConflictError where there is a ledger, another network's file or another key;
    UnknownError for a snapshot or a key that is missing; ProofError for a damaged snapshot.
    """
    with alone(home.directory, "super node"):
        if home.ledger.exists():
            raise ConflictError(
                f"{home.ledger} exists: a snapshot goes into a directory without a ledger alone; "
                "move it away, or choose another --data"
            )
        known = pinned if pinned and pinned.exists() else home.network
        expected = load_network(known) if known.exists() else None
        chosen = choose(vault, cid_text(expected.network) if expected else None, snapshot)
        scratch = home.directory / _SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            _fetch(vault, chosen, scratch)
            file = load_network(scratch / NETWORK_FILE)
            _check_network(vault, chosen, file, expected)
            _check_key(home, identity, file)
            _check_chain(scratch / LEDGER_FILE, chosen, file.genesis)
            if expected is not None:
                shutil.copyfile(known, scratch / NETWORK_FILE)  # its CA may be newer
            _fetch_evidence(vault, chosen, home.evidence)
            _put_in_place(chosen, home, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return chosen


def restored_of(home: SuperNodeHome) -> RestoredDocument | None:
    """What this ledger was restored from, if it was."""
    try:
        return msgspec.json.decode(home.restored.read_bytes(), type=RestoredDocument)
    except (OSError, ValueError):
        return None


def _fetch(vault: Vault, chosen: Manifest, scratch: Path) -> None:
    for each in chosen.files:
        if each.name not in {LEDGER_FILE, NOTEBOOK_FILE, NETWORK_FILE}:
            continue
        place = place_of(chosen.network, chosen.name, each.name)
        vault.fetch(place, scratch / each.name)
        found = blake3().update_mmap(scratch / each.name).hexdigest()
        if found != each.blake3:
            raise ProofError(
                f"{vault.what}: {place} hashes to {found}, its manifest says {each.blake3}; it "
                "is damaged: choose another snapshot"
            )


def _check_network(
    vault: Vault, chosen: Manifest, file: NetworkFile, expected: NetworkFile | None
) -> None:
    found = cid_text(file.network)
    wanted = chosen.network if expected is None else cid_text(expected.network)
    if found != wanted:
        raise ConflictError(
            f"snapshot {chosen.name} of {vault.what} is of network {found}, expected {wanted}; "
            "choose another snapshot"
        )


def _check_key(home: SuperNodeHome, identity: Path | None, file: NetworkFile) -> None:
    """The directory has the key of a super node of this genesis, taken from `identity` if not."""
    wanted = {node.key for node in file.genesis.super_nodes}
    names = ", ".join(address(key) for key in wanted)
    if identity is not None and identity.exists():
        given = load_identity(identity).keys.public
        if given not in wanted:
            raise ConflictError(f"{identity} is the key of {address(given)}, expected {names}")
        take_identity(home, identity)
    if not home.identity.exists():
        raise UnknownError(
            f"a backup has no key: give that of {names} by --identity FILE (on Kubernetes: Secret "
            "NET-supernode-identity)"
        )
    own = load_identity(home.identity).keys.public
    if own not in wanted:
        raise ConflictError(f"{home.identity} is the key of {address(own)}, expected {names}")


def _check_chain(ledger: Path, chosen: Manifest, genesis: Genesis) -> None:
    """Rows and last block agree, and every block follows from the one before, signed.

    Executing all of them again is `chain verify`, which takes as long as the chain is.
    """
    height, _, app_hash = check_ledger(ledger, genesis)
    if (height, app_hash.hex()) != (chosen.height, chosen.app_hash):
        raise ProofError(
            f"snapshot {chosen.name} holds block {height} with state {app_hash.hex()}, its "
            f"manifest says {chosen.height} with {chosen.app_hash}; choose another snapshot"
        )
    before = None
    proposers = {node.key for node in genesis.super_nodes}
    with closing(open_reader(ledger)) as sql:
        for number, (raw,) in enumerate(sql.execute(_BLOCKS), start=1):
            block = decode_block(raw)
            verify_block(block)
            said = (block.height, block.prev, block.proposer in proposers)
            if said != (number, before, True):
                raise ProofError(
                    f"snapshot {chosen.name}: block {block.height} does not follow from the one "
                    "before; choose another snapshot"
                )
            before = block_id(block)


def _fetch_evidence(vault: Vault, chosen: Manifest, evidence: Path) -> None:
    """What the vault has of it. Without it, epochs are attested instead of proved again."""
    left_out = 0
    for place in vault.names(evidence_of(chosen.network)):
        epoch, name = place.split("/")[-2:]
        if not (epoch.isdecimal() and _HASH.fullmatch(name)):
            continue  # a name of ours leads nowhere else
        into = evidence / epoch / name
        into.parent.mkdir(parents=True, exist_ok=True)
        with suppress(CyberVeinError):
            vault.fetch(place, into)
        if not into.exists() or blake3(into.read_bytes()).hexdigest() != name:
            into.unlink(missing_ok=True)
            left_out += 1
    if left_out:
        _log.warning("evidence is damaged in the backup and left out", files=left_out)


def _put_in_place(chosen: Manifest, home: SuperNodeHome, scratch: Path) -> None:
    said = RestoredDocument(
        snapshot=chosen.name, height=chosen.height, epoch=chosen.epoch, at=round(time.time(), 3)
    )
    write_atomic(home.restored, msgspec.json.encode(said), mode=0o644)
    (scratch / NETWORK_FILE).replace(home.network)
    (scratch / NOTEBOOK_FILE).replace(home.notebook)
    with (scratch / LEDGER_FILE).open("rb+") as file:
        os.fsync(file.fileno())
    (scratch / LEDGER_FILE).replace(home.ledger)
    sync_directory(home.directory)
