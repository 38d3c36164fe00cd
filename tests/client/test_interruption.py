"""kill -9 during put and get, changed sources, full disks: nothing acknowledged is lost."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.catalogue import Catalogue, FileState, SegmentRow
from cybervein_client.download.get import part_path
from cybervein_client.home import Home
from cybervein_client.upload import FileSource
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.errors import StorageError
from real_network import RealNetwork
from services import command
from waiting import DEADLINE_SECONDS, until

Noise = Callable[..., Path]


def cybervein(home: Home, *arguments: str) -> list[str]:
    return command("--home", str(home.directory), "--json", *arguments)


def start(home: Home, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(cybervein(home, *arguments))


def run(command_line: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command_line, capture_output=True, text=True, check=False)


def receipted(home: Home, name: str) -> list[SegmentRow]:
    """The segments whose receipts are journalled."""
    with closing(Catalogue(home.catalogue_path)) as catalogue:
        file = catalogue.find(name)
        rows = catalogue.segments(file.id) if file else []
        return [row for row in rows if row.shards]


@pytest.mark.parametrize("moment", [0, 1, 3])
def test_a_put_killed_at_any_moment_goes_on_with_what_was_acknowledged(
    home: Home, noise: Noise, tmp_path: Path, moment: int
) -> None:
    source = noise(12 * SEGMENT_PLAIN + 77, moment)
    process = start(home, "put", str(source), "--name", "file")
    until(lambda: len(receipted(home, "file")) >= moment, f"{moment} segments")
    process.kill()
    process.wait()
    before = receipted(home, "file")
    done = subprocess.run(
        cybervein(home, "put", str(source), "--name", "file"), capture_output=True, check=True
    )
    assert json.loads(done.stdout)["state"] == "stored"
    after = {row.number: row for row in receipted(home, "file")}
    assert [after[row.number] for row in before] == before
    copy = tmp_path / "copy"
    subprocess.run(cybervein(home, "get", "file", "--out", str(copy)), check=True)
    assert copy.read_bytes() == source.read_bytes()


def test_ctrl_c_ends_in_one_line_that_says_how_to_go_on(home: Home, noise: Noise) -> None:
    source = noise(60 * SEGMENT_PLAIN, 9)
    process = subprocess.Popen(
        cybervein(home, "put", str(source), "--name", "file"), stderr=subprocess.PIPE
    )
    until(lambda: len(receipted(home, "file")) >= 1, "a segment")
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130
    _offer, said = complaint.splitlines()
    assert said == b"interrupted; run the same command again to continue"


async def test_a_source_that_changed_since_its_upload_began_is_not_mixed_with_the_old_one(
    home: Home, noise: Noise
) -> None:
    source = noise(60 * SEGMENT_PLAIN)
    process = start(home, "put", str(source), "--name", "file")
    until(lambda: len(receipted(home, "file")) >= 1, "a segment")
    process.kill()
    process.wait()
    source.write_bytes(b"changed")
    async with AsyncClient(home) as client:
        assert (await client.put(FileSource(source), "file")).state is FileState.STORED
        assert b"".join([data async for data in client.stream("file")]) == b"changed"


async def test_a_get_killed_in_the_middle_goes_on_and_trusts_no_byte_unseen(
    home: Home, client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source = noise(7 * SEGMENT_PLAIN + 5)
    row = await client.put(FileSource(source), "file")
    copy = tmp_path / "copy"
    part = part_path(copy, row)
    process = start(home, "get", "file", "--out", str(copy))
    until(lambda: part.exists() and part.stat().st_size >= 2 * SEGMENT_PLAIN, "two segments")
    process.kill()
    process.wait()
    if copy.exists():  # the process was faster than the kill: make it unfinished
        copy.rename(part)
    with part.open("r+b") as file:
        file.seek(SEGMENT_PLAIN + 3)
        file.write(b"damage")
    seen: list[int] = []
    await client.get("file", copy, progress=seen.append)
    assert seen[0] == SEGMENT_PLAIN  # the first segment is kept, the damaged one is not
    assert copy.read_bytes() == source.read_bytes()
    assert not part.exists()


async def test_a_disk_that_fills_up_ends_in_one_line_and_the_next_get_goes_on(
    home: Home, client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source = noise(2 * SEGMENT_PLAIN)
    row = await client.put(FileSource(source), "file")
    copy = tmp_path / "copy"
    limited = " ".join(("ulimit -f 20000;", *cybervein(home, "get", "file", "--out", str(copy))))
    done = run(["/bin/bash", "-c", limited])
    assert done.returncode == 6, done.stderr
    assert done.stderr.startswith("error: cannot write ")
    assert not copy.exists()
    assert part_path(copy, row).stat().st_size > 0
    await client.get("file", copy)
    assert copy.read_bytes() == source.read_bytes()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of two pages, both used."""
    path = tmp_path / "full"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", path], check=True)
    try:
        (path / "filler").write_bytes(bytes(8192))
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


async def test_a_get_that_fails_before_its_first_byte_leaves_nothing(
    client: AsyncClient, noise: Noise, full_disk: Path
) -> None:
    await client.put(FileSource(noise(1000)), "file")
    with pytest.raises(StorageError, match="make room and run the same get again"):
        await client.get("file", full_disk / "copy")
    assert [path.name for path in full_disk.iterdir()] == ["filler"]


def test_a_put_without_a_super_node_fails_clearly_and_goes_on_when_it_is_back(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    source = noise(1000)
    network.supernode.kill()
    done = run(cybervein(home, "put", str(source), "--name", "file"))
    assert done.returncode == 4
    assert "does not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    network.supernode.revive()
    subprocess.run(cybervein(home, "put", str(source), "--name", "file"), check=True)
