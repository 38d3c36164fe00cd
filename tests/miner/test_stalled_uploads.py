"""A second upload takes the place of a stalled one: on each event loop, with and without TLS."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from blake3 import blake3
from cybervein_miner.api import arrivals
from cybervein_protocol.messages import order_header
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import sign_headers
from miner_world import Running, World, serving, settings_of, shard_bytes
from secure import secure
from waiting import until_async

DATA = shard_bytes(2_000_000)
ROOT = blake3(DATA).digest()
PATH = f"/v1/shards/{ROOT.hex()}?segment=0&index=0"


LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
"""`cybervein mine` runs on the second."""


async def begin(miner: Running, trust: ssl.SSLContext | None, data: bytes) -> asyncio.StreamWriter:
    """An upload that stops within its body."""
    host, port = miner.url.partition("//")[2].split(":")
    order = order_header(miner.world.order(miner.key, "PUT", ROOT))
    raw = base64.urlsafe_b64decode(order + "=" * (-len(order) % 4))
    headers = sign_headers(miner.world.bearer, "PUT", miner.url + PATH, body=None, order=raw)
    lines = [f"PUT {PATH} HTTP/1.1", f"host: {host}:{port}", f"content-length: {len(DATA)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    _, writer = await asyncio.open_connection(host, int(port), ssl=trust)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
    await writer.drain()
    return writer


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("sent", [1_500_000, 100])
def test_a_second_upload_by_the_same_bearer_takes_the_place_of_a_stalled_one(  # noqa: PLR0913 -- each way
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    loop: Callable[[], asyncio.AbstractEventLoop],
    *,
    encrypted: bool,
    sent: int,
) -> None:
    tls = secure(tmp_path) if encrypted else None

    async def scenario() -> None:
        settings = settings_of(world, tmp_path, tmp_path / "disk")
        async with serving(world, settings, tls=tls) as miner:
            writer = await begin(miner, tls.trust if tls else None, DATA[:sent])
            await replaced(miner, monkeypatch)
            writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


async def replaced(miner: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others and the impatient are refused, then its own bearer is not."""

    async def begun() -> bool:
        return any(miner.node.basis.rack.disks[0].folder("tmp").iterdir())

    await until_async(begun, "the upload to begin", every_seconds=0.01)
    other = KeyPair(b"\x07" * 32)
    theirs = miner.world.order(miner.key, "PUT", ROOT, bearer=other.public)
    monkeypatch.setattr(arrivals, "STALLED_SECONDS", 0.0)
    assert (await miner.call("PUT", PATH, DATA, theirs, other))[0] == 409
    monkeypatch.setattr(arrivals, "STALLED_SECONDS", 3600.0)
    assert (await miner.put(DATA))[0] == 409
    monkeypatch.setattr(arrivals, "STALLED_SECONDS", 0.0)
    assert (await miner.put(DATA))[0] == 201
    assert await miner.get(ROOT) == (200, DATA)
    assert miner.node.basis.tally.upload_failures == 3
