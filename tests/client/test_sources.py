"""Files as sources: the size that is reported is a claim, the bytes are the file."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.catalogue import FileState
from cybervein_client.upload import FileSource
from cybervein_client.upload.source import Source
from cybervein_protocol.errors import ConflictError, MalformedError

SEGMENT_BYTES = 1000


@pytest.fixture
def opened() -> Iterator[Callable[[Path], FileSource]]:
    sources: list[FileSource] = []

    def open_one(path: Path) -> FileSource:
        sources.append(FileSource(path))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


def content(source: Source) -> bytes:
    return b"".join(source.read(piece, SEGMENT_BYTES) for piece in source.pieces(SEGMENT_BYTES))


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 3000])
def test_a_file_is_read_whole(
    opened: Callable[[Path], FileSource], tmp_path: Path, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    source = opened(path)
    assert (source.size, source.rereadable) == (size, True)
    assert content(source) == path.read_bytes()
    assert source.facts_now() == source.facts


def test_a_file_that_reports_no_size_is_read_to_its_end(
    opened: Callable[[Path], FileSource],
) -> None:
    path = Path("/proc/filesystems")
    assert path.stat().st_size == 0
    source = opened(path)
    assert (source.size, source.rereadable, source.facts_now()) == (None, False, None)
    assert content(source) == path.read_bytes() != b""


def test_a_file_that_reports_more_than_it_has_is_refused(
    opened: Callable[[Path], FileSource],
) -> None:
    path = Path("/sys/devices/system/cpu/online")
    assert path.stat().st_size > len(path.read_bytes())
    with pytest.raises(ConflictError, match=r"ends at byte .* reports no true size"):
        content(opened(path))


def test_a_file_that_grows_is_not_cut(opened: Callable[[Path], FileSource], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 1500)
    source = opened(path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ConflictError, match="reported with 1500 bytes and has more"):
        content(source)


def test_a_pipe_is_no_file_and_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MalformedError, match="not a regular file"):
        FileSource(tmp_path / "pipe")


async def test_a_file_that_reports_no_size_is_stored_whole(client: AsyncClient) -> None:
    path = Path("/proc/version")
    row = await client.put(FileSource(path), "version")
    assert (row.state, row.size) == (FileState.STORED, len(path.read_bytes()))
    assert b"".join([data async for data in client.stream("version")]) == path.read_bytes()
