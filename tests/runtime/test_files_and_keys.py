"""Files that survive, secrets that stay secret."""

import json
import os
from pathlib import Path

import pytest
from cybervein_protocol.errors import LimitError, MalformedError, StorageError, UnknownError
from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.identity import load_identity, load_or_create_identity, save_identity


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_write_into_something_that_is_no_directory_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=str(tmp_path / "file" / "below")):
        write_atomic(tmp_path / "file" / "below", b"")


def test_a_write_never_takes_the_place_of_a_device_a_pipe_or_a_folder(tmp_path: Path) -> None:
    pipe, folder, link = tmp_path / "pipe", tmp_path / "folder", tmp_path / "link"
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to("/dev/null")
    for path in (pipe, folder, link):
        with pytest.raises(StorageError, match=f"{path} is no file but a device, pipe or folder"):
            write_atomic(path, b"x")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [folder, link, pipe]


def test_reading_is_limited(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_limited(tmp_path / "f", 5) == b"12345"
    with pytest.raises(LimitError):
        read_limited(tmp_path / "f", 4)
    with pytest.raises(UnknownError):
        read_limited(tmp_path / "none", 4)


def test_an_identity_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    first = load_or_create_identity(path)
    second = load_or_create_identity(path)
    assert first.keys.public == second.keys.public
    assert path.stat().st_mode & 0o777 == 0o600
    assert first.keys.seed.hex() not in repr(first)
    assert first.vrf_seed.hex() not in repr(first)


def test_an_identity_is_never_replaced(tmp_path: Path) -> None:
    identity = load_or_create_identity(tmp_path / "identity.json")
    with pytest.raises(StorageError, match="already"):
        save_identity(tmp_path / "identity.json", identity)


def test_an_identity_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    load_or_create_identity(path)
    path.chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        load_identity(path)


@pytest.mark.parametrize("text", ["", "{}", '{"v":1}', "[]", '{"v":1,"seed":"zz"}'])
def test_a_damaged_identity_says_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "identity.json"
    write_atomic(path, text.encode())
    with pytest.raises(MalformedError, match="backup"):
        load_identity(path)


def test_an_identity_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    load_or_create_identity(path)
    document = json.loads(path.read_text())
    write_atomic(path, json.dumps({**document, "v": 2}).encode())
    with pytest.raises(MalformedError, match="version 1"):
        load_identity(path)
