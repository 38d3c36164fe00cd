"""A home without a wallet that still has another wallet's catalogue: nothing is mixed, or lost."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cybervein_client.catalogue import Catalogue
from cybervein_client.catalogue.rows import FileRow, FileState
from cybervein_client.home import Home
from cybervein_client.wallet import set_aside, write_backup
from cybervein_runtime.identity import new_identity, save_identity
from miner_world import new_world
from services import run

WORDS = "correct horse"


def with_file(home: Home, name: str) -> Catalogue:
    """An open catalogue whose file is in the `-wal` yet."""
    home.directory.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue(home.catalogue_path)
    row = FileRow(name, name, "/x", 1, 1, b"k" * 32, 2, 3, 10, FileState.STORED, None, 0)
    catalogue.add_file(row)
    return catalogue


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Of a wallet that has the file `mine`."""
    home = Home(tmp_path / "first")
    save_identity(home.identity_path, new_identity())
    new_world(home.directory)  # writes its network.json
    catalogue = with_file(home, "mine")
    write_backup(home, catalogue.snapshot(), tmp_path / "wallet.backup", WORDS)
    catalogue.close()
    return tmp_path / "wallet.backup"


@pytest.fixture
def left(tmp_path: Path) -> Home:
    """A home that lost its wallet: catalogue, its log that was not written back, its network."""
    home, place = Home(tmp_path / "used"), Home(tmp_path / "copied")
    catalogue = with_file(home, "theirs")
    (home.directory / "network.cid").write_text("another's\n")
    shutil.copytree(home.directory, place.directory)  # as a killed process leaves it
    catalogue.close()
    assert place.catalogue_path.with_name("catalogue.sqlite-wal").stat().st_size > 0
    return place


def names(catalogue: Path) -> list[str]:
    opened = Catalogue(catalogue)
    try:
        return [row.name for row in opened.files()]
    finally:
        opened.close()


def command(home: Home, *arguments: object) -> Any:
    done = run(
        *("--json", "--home", home.directory, "wallet", *arguments),
        environment={"CYBERVEIN_PASSPHRASE": WORDS},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_restored_wallet_has_its_own_files_alone_and_the_others_are_set_aside(
    left: Home, backup: Path
) -> None:
    told = command(left, "restore", backup)
    aside = left.directory / "left-behind-1"
    assert told["left_behind"] == str(aside)
    assert names(left.catalogue_path) == ["mine"]
    assert names(aside / "catalogue.sqlite") == ["theirs"]
    assert (aside / "network.cid").read_text() == "another's\n"
    assert not (left.directory / "network.cid").exists()


def test_a_new_wallet_does_not_take_over_another_ones_catalogue(left: Home) -> None:
    told = command(left, "new")
    assert told["left_behind"] == str(left.directory / "left-behind-1")
    assert not left.catalogue_path.exists()


def test_an_empty_home_has_nothing_set_aside(tmp_path: Path, backup: Path) -> None:
    home = Home(tmp_path / "empty")
    assert "left_behind" not in command(home, "restore", backup)
    assert not list(home.directory.glob("left-behind*"))


def test_what_is_set_aside_twice_is_kept_twice(left: Home) -> None:
    first = set_aside(left)
    left.catalogue_path.write_bytes(b"second")
    second = set_aside(left)
    assert (first, second) == (left.directory / "left-behind-1", left.directory / "left-behind-2")
    assert second is not None
    assert (second / "catalogue.sqlite").read_bytes() == b"second"
    assert set_aside(left) is None
