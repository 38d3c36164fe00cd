"""A peer that reads slowly is no disk that hangs: whose turn it is decides."""

import os
import socket
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cybervein_miner.api.bodies import StoredBytes, send_file
from cybervein_miner.api.bulk import EXTENSION, Pace, Waited, _send
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.disk.calls import Calls

PIECE = 1 << 20


def test_a_peer_that_is_waited_for_again_and_again_is_told_each_time(tmp_path: Path) -> None:
    file, data = tmp_path / "shard", os.urandom(PIECE)
    file.write_bytes(data)
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.settimeout(0)
    read, waits, send = bytearray(), list[int](), os.sendfile

    def reluctant(out: int, source: int, offset: int, count: int) -> int:
        """The peer reads only once nothing more goes out."""
        try:
            return send(out, source, offset, count)
        except BlockingIOError:
            read.extend(theirs.recv(PIECE))
            raise

    with ours, theirs, file.open("rb") as source, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sendfile", reluctant)
        told = partial(waits.append, 1)
        _send(ours, source.fileno(), PIECE, pace=lambda _: None, piece=PIECE, waited=told)
        while len(read) < PIECE:
            read.extend(theirs.recv(PIECE))
    assert bytes(read) == data
    assert len(waits) > 2


async def test_the_disks_time_begins_anew_when_the_peer_has_made_room(tmp_path: Path) -> None:
    (tmp_path / "shard").write_bytes(b"data")
    now = [0.0]
    calls = Calls(lambda: now[0])

    class Lent:
        async def send_file(
            self, _handle: int, size: int, pace: Pace, _piece: int, waited: Waited
        ) -> None:
            pace(size)
            for _ in range(5):
                now[0] += 50.0  # until the peer made room
                assert calls.overdue() == ""
                waited()
            now[0] += 70.0  # and now it is the disk
            assert calls.overdue() == "it has not answered for 70 s: send a shard"

    async def sent(_: Any) -> None:
        """The head and the end of the answer."""

    request = SimpleNamespace(scope={"extensions": {EXTENSION: Lent()}})
    with calls.under_way("send a shard", 60.0) as call:
        stored = StoredBytes(None, tmp_path, 0, 4, call)  # type: ignore[arg-type]
        await send_file(request, sent, stored, Throttle())  # type: ignore[arg-type]
