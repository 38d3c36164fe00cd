"""Under TLS nothing goes out as it is, however a transfer ends and whoever had the connection."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from blake3 import blake3
from cybervein_client.transport import BulkTransport, ShardAt
from cybervein_client.transport.connections import ConnectionPool
from cybervein_client.transport.exchange import Exchange
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.messages import Order, Receipt, sign_order
from cybervein_protocol.signing import KeyPair
from miner_world import shard_bytes
from recorder import HELD_BYTES, Recorder, not_tls, recording
from secure import secure
from waiting import until

KEY = KeyPair(bytes(32))
DATA = shard_bytes(8_000_000)
ROOT = blake3(DATA).digest()
MORE_BYTES = 1_000_000


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    tls = secure(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    with recording(tls) as recorder:
        yield recorder


def order() -> Order:
    return sign_order(
        KEY,
        network=node_cid(b"network"),
        order_id=bytes(32),
        deal=node_cid(b"deal"),
        miner=KEY.public,
        bearer=KEY.public,
        verb="PUT",
        root=ROOT,
        max_bytes=len(DATA),
        not_after_epoch=9,
    )


async def put(transport: BulkTransport, peer: Recorder) -> Receipt:
    shard = ShardAt(ROOT, len(DATA), KEY.public, peer.url)
    return await transport.put(shard, 0, 0, order(), DATA)


async def test_a_put_that_is_called_off_leaves_nothing_unencrypted(
    peer: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, shutdown = BulkTransport(KEY), socket.socket.shutdown

    def late(sock: socket.socket, how: int) -> None:
        """The thread that sends goes on until the connection is really shut down."""
        if not peer.go.is_set():
            peer.go.set()
            until(lambda: len(peer.connections[0]) > HELD_BYTES + MORE_BYTES, "more to come")
        shutdown(sock, how)

    sending = asyncio.create_task(put(transport, peer))
    await asyncio.to_thread(until, lambda: len(peer.connections[0]) > HELD_BYTES, "the body")
    monkeypatch.setattr(socket.socket, "shutdown", late)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await asyncio.to_thread(until, lambda: peer.ended, "the connection to end")
    came = bytes(peer.connections[0])
    assert len(came) > HELD_BYTES + MORE_BYTES
    assert not_tls(came) == b""
    transport.close()


async def test_no_thread_outlives_a_put_that_is_called_off(
    peer: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, exchange, over = BulkTransport(KEY), BulkTransport._exchange, Event()
    abort = Exchange.abort

    def slow_to_end(*arguments: Any) -> Any:
        try:
            return exchange(*arguments)
        finally:
            time.sleep(0.2)
            over.set()

    def first_let_go(ended: Exchange) -> None:
        abort(ended)
        until(lambda: ended.sock is None, "the thread to let go of the connection")

    monkeypatch.setattr(BulkTransport, "_exchange", slow_to_end)
    monkeypatch.setattr(Exchange, "abort", first_let_go)
    sending = asyncio.create_task(put(transport, peer))
    await asyncio.to_thread(until, lambda: len(peer.connections[0]) > HELD_BYTES, "the body")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert over.is_set()
    transport.close()


async def test_a_silent_peer_is_given_up_and_the_next_request_shakes_hands_anew(
    peer: Recorder,
) -> None:
    transport = BulkTransport(KEY, stall_seconds=3.0)
    for count in (1, 2):
        with pytest.raises(UnavailableError, match="silent for 3 s after"):
            await put(transport, peer)
        assert len(peer.connections) == count
    assert [not_tls(bytes(came)) for came in peer.connections] == [b"", b""]
    assert not any(DATA[:64] in came for came in peer.connections)
    transport.close()


def test_a_kept_connection_in_the_clear_never_serves_an_encrypted_address() -> None:
    pool = ConnectionPool(1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
        connection, _ = pool.take(f"http://{place}/v1")
        pool.give_back(f"http://{place}/v1", connection)
    with pytest.raises(ConnectionRefusedError):
        pool.take(f"https://{place}/v1")
    assert pool.take(f"http://{place}/v1") == (connection, True)
    connection.close()
