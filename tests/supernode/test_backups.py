"""Snapshots of a ledger that runs on, and what a restore takes and refuses; on real files."""

import shutil
from pathlib import Path

import pytest
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import (
    ConflictError,
    ProofError,
    StorageError,
    UnknownError,
)
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.identity import new_identity, save_identity
from cybervein_runtime.network_file import save_network
from cybervein_supernode.backup.duty import BackupPlan, Backups
from cybervein_supernode.backup.files import LedgerFiles
from cybervein_supernode.backup.folder import FolderVault
from cybervein_supernode.backup.keeping import choose, prune, snapshots
from cybervein_supernode.backup.manifest import (
    MANIFEST,
    encode_manifest,
    evidence_of,
    place_of,
)
from cybervein_supernode.backup.snapshot import take
from cybervein_supernode.clock.time_source import SystemTime
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.founding import guard
from cybervein_supernode.process.restoring import restore, restored_of
from msgspec.structs import replace as struct_replace
from super_lab import WALLET, Lab

SOMEBODY = KeyPair(b"s" * 32).public
NOON = 1_796_040_000.0


class Clock(SystemTime):
    """A wall clock that the test sets; each wait ends at once and is noted."""

    def __init__(self) -> None:
        self.now = NOON
        self.waits: list[float] = []

    def wall(self) -> float:
        return self.now


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "vault")


@pytest.fixture
def files(lab: Lab) -> LedgerFiles:
    """Of a super node whose directory is as `init` makes it."""
    nodes = (("http://127.0.0.1:1", lab.identity.keys.public),)
    save_network(lab.home.network, lab.genesis, nodes)
    save_identity(lab.home.identity, lab.identity)
    return lab.home.files(lab.genesis)


async def pay(lab: Lab, amount: int = 1) -> int:
    """A block with a payment; its height."""
    body = Transfer(to=SOMEBODY, amount=Veins(amount), memo="")
    return (await lab.send(WALLET, body)).height


async def test_a_snapshot_holds_what_was_final_and_the_ledger_runs_on(
    lab: Lab, files: LedgerFiles, vault: FolderVault, tmp_path: Path
) -> None:
    height = await pay(lab)
    evidence = lab.desk.evidence.keep(0, b"what a miner answered")
    made = take(files, vault)
    assert (made.height, made.app_hash) == (height, lab.node.chronicle.app_hash.hex())
    await pay(lab)
    home = SuperNodeHome(tmp_path / "again")
    restore(vault, home, identity=files.directory / "identity.json")
    again = Lab(tmp_path / "again")
    again.identity, again.genesis = lab.identity, lab.genesis
    again.begin()
    try:
        assert again.desk.view.head().height == height
        assert again.desk.evidence.read(evidence) == b"what a miner answered"
        assert await pay(again) == height + 1
    finally:
        await again.end()
    said = restored_of(home)
    assert said is not None
    assert (said.snapshot, said.height) == (made.name, height)


async def test_the_newest_are_kept_and_evidence_goes_with_the_last_that_needs_it(
    lab: Lab, files: LedgerFiles, vault: FolderVault
) -> None:
    lab.desk.evidence.keep(0, b"old")
    for second in range(4):
        await pay(lab)
        take(files, vault, NOON + second)
    network = cid_text(lab.desk.view.network)
    names = [each.name for each in snapshots(vault, network)]
    assert prune(vault, network, 2, lab.genesis.preset.evidence_epochs, NOON + 9) == names[:2]
    assert [each.name for each in snapshots(vault, network)] == names[2:]
    assert [each for each in vault.names("") if names[0] in each] == []
    assert len(vault.names(f"{network}/evidence")) == 1
    prune(vault, network, 2, -1, NOON + 9)
    assert vault.names(f"{network}/evidence") == []


async def test_a_snapshot_that_was_broken_off_is_none_and_goes_after_a_day(
    lab: Lab, files: LedgerFiles, vault: FolderVault
) -> None:
    made = take(files, vault, NOON)
    take(files, vault, NOON + 5)
    vault.drop(place_of(made.network, made.name))
    assert [each.taken for each in snapshots(vault, made.network)] == [NOON + 5]
    prune(vault, made.network, 9, 9, NOON + 60)
    assert [each for each in vault.names("") if made.name in each]
    prune(vault, made.network, 9, 9, NOON + 2 * 86_400)
    assert not [each for each in vault.names("") if made.name in each]
    del lab


async def test_a_vault_that_loses_bytes_is_found_out_when_it_is_written(
    files: LedgerFiles, tmp_path: Path
) -> None:
    class Forgetful(FolderVault):
        def put(self, name: str, source: Path) -> None:
            if source.name == "ledger.sqlite":
                source.write_bytes(source.read_bytes()[:-1])
            super().put(name, source)

    vault = Forgetful(tmp_path / "vault")
    with pytest.raises(StorageError, match="reads as"):
        take(files, vault)
    assert not [each for each in vault.names("") if each.endswith("manifest.json")]


async def test_a_restore_refuses_a_ledger_a_damaged_snapshot_and_a_foreign_key(
    lab: Lab, files: LedgerFiles, vault: FolderVault, tmp_path: Path
) -> None:
    await pay(lab)
    made, key = take(files, vault), files.directory / "identity.json"
    with pytest.raises(ConflictError, match="without a ledger"):
        restore(vault, lab.home)
    empty = SuperNodeHome(tmp_path / "empty")
    with pytest.raises(UnknownError, match="a backup has no key"):
        restore(vault, empty)
    save_identity(tmp_path / "other.json", new_identity())
    with pytest.raises(ConflictError, match="is the key of"):
        restore(vault, empty, identity=tmp_path / "other.json")
    with pytest.raises(UnknownError, match="the newest is"):
        restore(vault, empty, identity=key, snapshot="yesterday")
    ledger = tmp_path / "vault" / place_of(made.network, made.name, "ledger.sqlite")
    with ledger.open("r+b") as file:
        file.seek(4096)
        file.write(b"damage")
    with pytest.raises(ProofError, match="damaged"):
        restore(vault, empty, identity=key)
    assert not empty.ledger.exists()
    assert not empty.network.exists()


async def test_a_restore_takes_the_pinned_network_of_a_vault_that_has_two(
    lab: Lab, files: LedgerFiles, vault: FolderVault, tmp_path: Path
) -> None:
    made = take(files, vault)
    foreign = tmp_path / "vault" / "another"
    shutil.copytree(tmp_path / "vault" / made.network, foreign)
    home = SuperNodeHome(tmp_path / "empty")
    with pytest.raises(ConflictError, match="give --network"):
        choose(vault, None)
    restore(vault, home, identity=files.directory / "identity.json", pinned=files.network)
    assert home.network.read_bytes() == files.network.read_bytes()
    del lab


async def test_nothing_is_founded_where_a_network_was_and_its_ledger_is_gone(
    lab: Lab, files: LedgerFiles, tmp_path: Path
) -> None:
    key, pinned = files.directory / "identity.json", files.network
    guard(lab.home, key, pinned)
    lost = SuperNodeHome(tmp_path / "new-volume")
    with pytest.raises(StorageError, match=r"ledger lost: .* no other is founded"):
        guard(lost, key, pinned)
    assert not lost.directory.exists()
    guard(lost, key, tmp_path / "not pinned yet.json")
    assert lost.identity.read_bytes() == lab.home.identity.read_bytes()
    save_identity(tmp_path / "other.json", new_identity())
    guard(lost, tmp_path / "other.json", None)
    assert lost.identity.read_bytes() == lab.home.identity.read_bytes()


async def test_the_schedule_goes_by_what_the_vault_has_and_a_failure_is_told(
    lab: Lab, files: LedgerFiles, vault: FolderVault, tmp_path: Path
) -> None:
    made = take(files, vault, NOON - 10)
    clock, wanted = Clock(), 2

    class Done(Exception):  # noqa: N818 -- the end of the test's patience, no error
        pass

    async def sleep(seconds: float) -> None:
        clock.waits.append(seconds)
        clock.now += seconds
        if len(clock.waits) > wanted:
            raise Done

    clock.sleep = sleep  # type: ignore[method-assign]
    backups = Backups(BackupPlan(vault, 60, 3), files, clock)
    with pytest.raises(Done):
        await backups.run()
    assert clock.waits == [50, 60, 60]
    assert backups.last is not None
    assert backups.last.name > made.name
    assert {each.name: each.value for each in backups.figures()}["backup_failing"] == 0
    clock.waits.clear()
    (tmp_path / "file").write_bytes(b"")
    broken = FolderVault(tmp_path / "file")
    backups = Backups(BackupPlan(broken, 60, 3), files, clock)
    with pytest.raises(Done):
        await backups.run()
    assert clock.waits == [0, 30, 0]
    assert "Not a directory" in backups.failing
    del lab


async def test_no_name_in_a_vault_leads_out_of_it(
    lab: Lab, files: LedgerFiles, vault: FolderVault, tmp_path: Path
) -> None:
    await pay(lab)
    good = take(files, vault, NOON)
    root, victim = tmp_path / "vault", tmp_path / "victim.sqlite"
    victim.write_bytes(b"a customer's")
    away = f"../../../../{victim.name}"
    before = struct_replace(good, name="20200101T000000Z-1", taken=1.0)
    file = struct_replace(good.files[0], name=away)
    forged = {
        before.name: struct_replace(before, files=[file]),
        "20200101T000000Z-2": before,  # it says that it is another one
        "20200101T000000Z-3": struct_replace(before, name="../../x"),
        "20200101T000000Z-4": struct_replace(before, network=".."),
    }
    for name, manifest in forged.items():
        place = root / place_of(good.network, name)
        place.parent.mkdir()
        (place.parent / MANIFEST).write_bytes(encode_manifest(manifest))
    assert snapshots(vault, good.network) == [good]
    assert prune(vault, good.network, 1, 0, 2.0) == []
    assert victim.exists()


async def test_evidence_of_a_strange_name_is_left_where_it_is(
    lab: Lab, files: LedgerFiles, tmp_path: Path
) -> None:
    await pay(lab)

    class Odd(FolderVault):
        def names(self, under: str) -> list[str]:
            more = [f"{under}/../identity.json"] if under == evidence_of(good.network) else []
            return super().names(under) + more

    vault = Odd(tmp_path / "vault")
    good = take(files, FolderVault(tmp_path / "vault"), NOON)
    home = SuperNodeHome(tmp_path / "new")
    home.directory.mkdir()
    save_identity(home.identity, lab.identity)
    key = home.identity.read_bytes()
    restore(vault, home)
    assert home.identity.read_bytes() == key
