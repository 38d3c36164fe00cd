"""One command at a time writes one file, and a catalogue belongs to one network."""

from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.home import Home
from cybervein_client.upload import FileSource
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError, ForbiddenError
from cybervein_runtime.files import write_atomic
from cybervein_runtime.identity import new_identity, save_identity
from miner_world import new_world


@pytest.fixture
def lonely(tmp_path: Path) -> Home:
    """A home whose super node is away."""
    made = Home(tmp_path / "home")
    save_identity(made.identity_path, new_identity())
    write_atomic(made.network_path, new_world(tmp_path).file.read_bytes())
    return made


@pytest.mark.parametrize("command", ["put", "rm"])
def test_a_second_writer_of_the_same_file_is_refused_and_told_who_writes(
    lonely: Home, tmp_path: Path, command: str
) -> None:
    (tmp_path / "photo").write_bytes(b"x" * 1000)
    with lonely.writing("photo", "put"), pytest.raises(ConflictError, match="another put of"):  # noqa: SIM117
        with lonely.writing("photo", command):
            pass
    with lonely.writing("photo", "put"), lonely.writing("other", command):
        pass


async def test_a_put_of_it_says_so_before_anything_is_asked(lonely: Home, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"x" * 1000)
    async with AsyncClient(lonely) as client:
        with lonely.writing("photo", "rm"), pytest.raises(ConflictError, match="another rm of"):
            await client.put(FileSource(tmp_path / "photo"), "photo")


async def test_another_network_is_refused_over_the_same_catalogue(
    lonely: Home, tmp_path: Path
) -> None:
    async with AsyncClient(lonely) as client:
        first = client.network.network
    (tmp_path / "other").mkdir()
    other = new_world(tmp_path / "other")
    write_atomic(lonely.network_path, other.file.read_bytes())
    names = f"catalogue.*{cid_text(first)}.*{cid_text(other.network.network)}"
    with pytest.raises(ForbiddenError, match=names):
        AsyncClient(lonely)
