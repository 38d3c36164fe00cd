"""A machine that answers nothing at all costs a reader no more than the head start it had."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from cybervein_client.download import pace
from cybervein_client.download.race import first_k
from cybervein_client.transport import BulkTransport, ShardAt, connections
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.messages import Order, sign_order
from cybervein_protocol.signing import KeyPair
from waiting import DEADLINE_SECONDS

KEY = KeyPair(bytes(32))
QUEUE = 8


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a host that drops every attempt to connect: a listener whose queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(QUEUE):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def order() -> Order:
    return sign_order(
        KEY,
        network=node_cid(b"network"),
        order_id=bytes(32),
        deal=None,
        miner=KEY.public,
        bearer=KEY.public,
        verb="GET",
        root=bytes(32),
        max_bytes=1024,
        not_after_epoch=9,
    )


async def test_a_read_that_is_won_elsewhere_does_not_wait_for_a_silent_machine(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(connections, "CONNECT_SECONDS_MAX", 10.0)
    transport = BulkTransport(KEY)

    async def fetch(index: int) -> bytes:
        if index == 0:
            return await transport.get(ShardAt(bytes(32), 1024, KEY.public, silent), order())
        return b"piece"

    began = time.monotonic()
    pieces = await first_k(1, (0, 1), fetch)
    assert pieces == {1: b"piece"}
    assert time.monotonic() - began < connections.CONNECT_SECONDS_MAX
    transport.close()


async def test_a_silent_machine_is_given_up_long_before_a_slow_one(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS_MAX", 0.2)
    transport = BulkTransport(KEY, stall_seconds=2 * DEADLINE_SECONDS)
    with pytest.raises(UnavailableError, match="does not answer"):
        async with asyncio.timeout(DEADLINE_SECONDS):
            await transport.get(ShardAt(bytes(32), 1024, KEY.public, silent), order())
    transport.close()
