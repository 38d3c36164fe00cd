"""Native code on real files: streams, slices by path, batches, and files that are damaged."""

from pathlib import Path

import cybervein_native
import pytest
from blake3 import blake3
from cybervein_protocol.tree import (
    GROUP,
    SliceError,
    root_and_outboard,
    slice_of,
    verify_slice,
)

SIZE = 5 * GROUP + 77


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(bytes(i % 251 for i in range(SIZE)))
    path.with_suffix(".outboard").write_bytes(root_and_outboard(path.read_bytes())[1])
    return path


def test_a_file_hashes_like_its_bytes(file: Path) -> None:
    root, outboard = cybervein_native.file_root_and_outboard(file)
    assert root == blake3(file.read_bytes()).digest()
    assert outboard == file.with_suffix(".outboard").read_bytes()


def test_slices_by_path_and_by_source_are_those_of_memory(file: Path) -> None:
    data, store = file.read_bytes(), file.with_suffix(".outboard")
    outboard = store.read_bytes()
    want = slice_of(lambda at, n: data[at : at + n], SIZE, outboard, 40_000, 3000)
    assert cybervein_native.extract_slice(file, outboard, 40_000, 3000) == want
    assert cybervein_native.extract_slice(str(file), store, 40_000, 3000) == want
    source = cybervein_native.SliceSource(file, store)
    assert source.size == SIZE
    assert source.extract(40_000, 3000) == want


def test_a_batch_keeps_order_and_a_failure_stands_in_its_place(file: Path, tmp_path: Path) -> None:
    good = cybervein_native.SliceSource(file, file.with_suffix(".outboard"))
    shrunk_path = tmp_path / "shrunk"
    shrunk_path.write_bytes(file.read_bytes())
    shrunk = cybervein_native.SliceSource(shrunk_path, file.with_suffix(".outboard"))
    with shrunk_path.open("r+b") as handle:
        handle.truncate(100)
    stale = cybervein_native.SliceSource(file, b"")
    requests = [(good, 0, 10), (shrunk, 70_000, 1), (stale, 0, 1), (good, 50_000, 10)]
    for threads in (1, 2, 9):
        first, cut, mismatch, last = cybervein_native.extract_slices(requests, threads)
        assert first == good.extract(0, 10)
        assert isinstance(cut, OSError)
        assert isinstance(mismatch, ValueError)
        assert last == good.extract(50_000, 10)
    assert cybervein_native.extract_slices([], 4) == []


@pytest.mark.parametrize("where", ["data", "outboard"])
def test_a_slice_of_a_damaged_file_does_not_verify(file: Path, where: str) -> None:
    root = blake3(file.read_bytes()).digest()
    path = file if where == "data" else file.with_suffix(".outboard")
    raw = bytearray(path.read_bytes())
    raw[3] ^= 1
    path.write_bytes(raw)
    made = cybervein_native.extract_slice(file, file.with_suffix(".outboard"), 0, 100)
    with pytest.raises(SliceError, match="does not match its root"):
        verify_slice(made, root, 0, 100, SIZE)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cybervein_native.file_root_and_outboard(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        cybervein_native.SliceSource(tmp_path / "none", b"")


def test_a_used_hasher_says_so() -> None:
    hasher = cybervein_native.TreeHasher()
    hasher.update(bytearray(b"any buffer"))
    hasher.update(memoryview(b" will do"))
    assert hasher.finalize()[0] == blake3(b"any buffer will do").digest()
    with pytest.raises(ValueError, match="finalized"):
        hasher.update(b"")
    with pytest.raises(ValueError, match="finalized"):
        hasher.finalize()
