"""What keeps a shard from being read or sent, and says nothing of its bytes, costs none of them."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.api.bulk import PeerGoneError, _send
from cybervein_miner.disk.trouble import says_of_file
from cybervein_miner.shard.index import HeldShard, ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_protocol.errors import StorageError
from miner_world import Running, shard_bytes


def refusing(monkeypatch: pytest.MonkeyPatch, file: Path, code: int) -> None:
    """That file cannot be opened."""
    real = os.open

    def refuse(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if Path(path) == file:
            raise OSError(code, os.strerror(code), str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


async def stored(miner: Running) -> HeldShard:
    data = shard_bytes(5000)
    assert (await miner.put(data))[0] == 201
    return miner.node.basis.store.reader.held(blake3(data).digest())


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (errno.EMFILE, ShardState.HELD),
        (errno.ENFILE, ShardState.HELD),
        (errno.ENOMEM, ShardState.HELD),
        (errno.EIO, ShardState.BAD),
    ],
)
async def test_too_many_open_files_condemn_no_shard(
    miner: Running, monkeypatch: pytest.MonkeyPatch, code: int, state: ShardState
) -> None:
    row = await stored(miner)
    [disk] = miner.node.basis.rack.disks
    with monkeypatch.context() as patch:
        refusing(patch, shard_path(disk, row.root), code)
        status, _ = await miner.get(row.root)
        assert status == 507
    found = miner.node.basis.store.index.find(row.root)
    assert found is not None
    assert found.state is state
    assert ((await miner.get(row.root))[0] == 200) == (state is ShardState.HELD)


def test_what_is_ours_says_nothing_of_a_file() -> None:
    assert not says_of_file(OSError(errno.EMFILE, "Too many open files"))
    assert not says_of_file(StorageError("it was refused"))
    assert not says_of_file(None)
    assert says_of_file(OSError(errno.EIO, "Input/output error"))


async def test_a_read_that_fails_late_condemns_no_newer_copy(miner: Running) -> None:
    row = await stored(miner)
    store = miner.node.basis.store
    elsewhere = HeldShard(row.root, "ab" * 16, row.size, ShardState.HELD, row.changed)
    await asyncio.to_thread(store.reader.mark, elsewhere, ShardState.BAD)
    assert store.reader.held(row.root) == row
    await store.delete(row.root, miner.world.deal)
    await asyncio.to_thread(store.reader.mark, row, ShardState.BAD)
    found = store.index.find(row.root)
    assert found is not None
    assert found.state is ShardState.TRASH


@pytest.mark.parametrize("code", [errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EPIPE])
def test_a_line_that_breaks_is_the_peers_and_not_the_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def broken(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    (tmp_path / "shard").write_bytes(b"data")
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(os, "sendfile", broken)
    with ours, theirs, (tmp_path / "shard").open("rb") as file:
        handle = file.fileno()
        with pytest.raises(PeerGoneError):
            _send(ours, handle, 4, pace=lambda _: None, piece=4, waited=lambda: None)
        code = errno.EIO
        with pytest.raises(OSError, match="Input/output error"):
            _send(ours, handle, 4, pace=lambda _: None, piece=4, waited=lambda: None)
