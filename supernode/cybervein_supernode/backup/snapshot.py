"""Taking a snapshot while the super node runs.

1. `VACUUM INTO` copies the ledger as one read transaction sees it: whole blocks, however many are
   written meanwhile.
2. The copy is opened as a super node would: the rows must hash to what its last block says, and
   that block must be signed.
3. Every file is put into the vault, read back there and hashed again.
4. The manifest comes last. What has none is no snapshot.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from sqlite3 import Error
from tempfile import mkdtemp
from typing import Final

from blake3 import blake3
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.units.genesis import Genesis, network_id
from cybervein_runtime import database
from cybervein_runtime.database_reasons import database_reason
from cybervein_runtime.files import write_atomic
from cybervein_runtime.reasons import refused_file

from cybervein_supernode.backup.files import LedgerFiles
from cybervein_supernode.backup.manifest import (
    LEDGER_FILE,
    MANIFEST,
    NETWORK_FILE,
    NOTEBOOK_FILE,
    Manifest,
    SnapshotFile,
    encode_manifest,
    evidence_of,
    place_of,
    snapshot_name,
)
from cybervein_supernode.backup.vault import Vault
from cybervein_supernode.chain.database import LEDGER
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.desk.notebook import NOTEBOOK

_FILES: Final = (LEDGER_FILE, NOTEBOOK_FILE, NETWORK_FILE)
_LEFT_SECONDS: Final = 86_400.0


def take(files: LedgerFiles, vault: Vault, wall: float | None = None) -> Manifest:
    """Copy, verify, put, verify. Raises StorageError or UnavailableError; then there is none."""
    taken = time.time() if wall is None else wall
    network = cid_text(network_id(files.genesis))
    with _folder(vault.scratch(files.directory)) as folder:
        _copy_database(files.ledger, folder / LEDGER_FILE, LEDGER)
        height, epoch, app_hash = check_ledger(folder / LEDGER_FILE, files.genesis)
        _copy_database(files.notebook, folder / NOTEBOOK_FILE, NOTEBOOK)
        write_atomic(folder / NETWORK_FILE, files.network.read_bytes(), mode=0o644)
        _put_evidence(files.evidence, vault, network, folder)
        described = [_described(folder / each) for each in _FILES]
        manifest = Manifest(
            v=1,
            network=network,
            name=snapshot_name(taken, height),
            taken=round(taken, 3),
            height=height,
            epoch=epoch,
            app_hash=app_hash.hex(),
            files=described,
        )
        _put_all(manifest, vault, folder)
    return manifest


def check_ledger(path: Path, genesis: Genesis) -> tuple[int, int, bytes]:
    """Height, epoch and app hash of a ledger that is whole. Raises StorageError."""
    chain = Chain(path, genesis)
    try:
        head = chain.head
        return head.height, head.epoch, chain.machine.app_hash
    finally:
        chain.close()


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    """An empty folder for the time of the block; what a crash left a day ago goes, too."""
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        for left in scratch.iterdir():
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        made = Path(mkdtemp(dir=scratch))
    except OSError as error:
        raise StorageError(
            refused_file(f"cannot prepare a snapshot in {scratch}", error)
        ) from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _copy_database(source: Path, into: Path, store: database.Store) -> None:
    try:
        with closing(database.open_reader(source, store)) as connection:
            connection.execute("VACUUM INTO ?", (str(into),))
    except Error as error:
        why = database_reason(error, into.parent)
        raise StorageError(f"cannot copy {store.what} {source} to {into}: {why}") from error


def _described(path: Path) -> SnapshotFile:
    digest = blake3().update_mmap(path).hexdigest()
    return SnapshotFile(name=path.name, size=path.stat().st_size, blake3=digest)


def _put_all(manifest: Manifest, vault: Vault, folder: Path) -> None:
    """Each file put, and read back; the manifest last."""
    written = folder / MANIFEST
    write_atomic(written, encode_manifest(manifest), mode=0o644)
    for each in (*manifest.files, _described(written)):
        place = place_of(manifest.network, manifest.name, each.name)
        vault.put(place, folder / each.name)
        found = vault.digest(place)
        if found != each.blake3:
            raise StorageError(
                f"{vault.what}: {place} was written as {each.blake3} and reads as {found}; look "
                "at its disk"
            )


def _put_evidence(evidence: Path, vault: Vault, network: str, folder: Path) -> None:
    """What the vault has not yet. Files are named by their hash and never change."""
    under = evidence_of(network)
    known = set(vault.names(under))
    for path in sorted(evidence.glob("*/*")):
        place = f"{under}/{path.parent.name}/{path.name}"
        if place in known or path.name.startswith("."):
            continue
        with suppress(FileNotFoundError):  # its epoch has left the window just now
            shutil.copyfile(path, folder / "evidence")
            vault.put(place, folder / "evidence")
