"""Nobody is believed: orders that do not hold, a super node that lies, shards that vanish."""

import json
import secrets
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cybervein_client import AsyncClient
from cybervein_client.home import Home
from cybervein_client.transport import BulkTransport, ShardAt
from cybervein_client.upload import FileSource
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import (
    CyberVeinError,
    ExpiredError,
    ForbiddenError,
    MalformedError,
    ReplayError,
    SignatureError,
    UnavailableError,
)
from cybervein_protocol.messages import Order, sign_order
from cybervein_protocol.placement import Code
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.network_file import load_network, save_network
from real_network import RealNetwork
from waiting import DEADLINE_SECONDS

Noise = Callable[..., Path]
STRANGER = KeyPair(b"\x66" * 32)


async def stored_shard(
    client: AsyncClient, network: RealNetwork, file: Path
) -> tuple[ShardAt, str]:
    row = await client.put(FileSource(file), "file")
    [deal] = client.catalogue.deals(row.id)
    entry = client.catalogue.segments(row.id)[0].shards[0]
    url = network.holder(entry.root).url
    return ShardAt(entry.root, entry.size, entry.miner, url), deal.cid


def order(client: AsyncClient, shard: ShardAt, deal: str, **change: Any) -> Order:
    signer = change.pop("signer", client.key)
    fields = {
        "network": client.network.network,
        "order_id": secrets.token_bytes(32),
        "deal": parse_cid(deal, "deal"),
        "miner": shard.miner,
        "bearer": client.key.public,
        "verb": "GET",
        "root": shard.root,
        "max_bytes": shard.size,
        "not_after_epoch": 10**6,
    }
    return sign_order(signer, **(fields | change))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"not_after_epoch": 0}, ExpiredError),
        ({"max_bytes": 10}, ReplayError),
        ({"root": b"\x01" * 32}, ForbiddenError),
        ({"miner": STRANGER.public}, ForbiddenError),
        ({"bearer": STRANGER.public}, ForbiddenError),
        ({"verb": "DELETE"}, ForbiddenError),
        ({"signer": STRANGER}, ForbiddenError),
    ],
)
async def test_a_miner_serves_only_under_a_valid_order(
    client: AsyncClient,
    network: RealNetwork,
    noise: Noise,
    change: dict[str, Any],
    error: type[CyberVeinError],
) -> None:
    shard, deal = await stored_shard(client, network, noise(5000))
    if "not_after_epoch" in change:
        network.wait_epoch(1)  # as its miners see it
    transport = BulkTransport(client.key)
    with pytest.raises(error):
        await transport.get(shard, order(client, shard, deal, **change))
    assert len(await transport.get(shard, order(client, shard, deal))) == shard.size
    transport.close()


async def test_an_order_copied_by_a_stranger_is_worthless(
    client: AsyncClient, network: RealNetwork, noise: Noise
) -> None:
    shard, deal = await stored_shard(client, network, noise(5000))
    thief = BulkTransport(STRANGER)
    with pytest.raises((ForbiddenError, SignatureError)):
        await thief.get(shard, order(client, shard, deal))
    thief.close()


@contextmanager
def lying_super_node(network: RealNetwork, lie: Callable[[Any], Any]) -> Iterator[str]:
    """A server that passes on what the super node says, except where its shards are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = network.supernode.url + self.path
            with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- our own process
                data = answer.read()
            if self.path.endswith("/shards"):
                data = json.dumps(lie(json.loads(data))).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()


def wrong_roots(listing: Any, count: int) -> Any:
    for row in listing["shards"][:count]:
        row["root"] = "00" * 32
    return listing


def mislead(home: Home, url: str) -> None:
    """Let the home's network file name another URL for the pinned super node."""
    pinned = load_network(home.network_path)
    save_network(home.network_path, pinned.genesis, ((url, pinned.super_nodes[0][1]),))


async def test_wrong_roots_from_the_super_node_are_not_followed(
    client: AsyncClient, home: Home, network: RealNetwork, noise: Noise
) -> None:
    source = noise(100_000)
    await client.put(FileSource(source), "file", code=Code(2, 6))
    with lying_super_node(network, lambda listing: wrong_roots(listing, 4)) as url:
        mislead(home, url)
        async with AsyncClient(home) as misled:
            report = await misled.get("file", home.directory / "copy")
    assert (home.directory / "copy").read_bytes() == source.read_bytes()
    assert {failure.index for failure in report.failures} == set(range(4))
    assert "names a wrong root" in report.failures[0].reason


def wrong_sizes(listing: Any) -> Any:
    for row in listing["shards"]:
        row["size"] += 1
    return listing


async def test_wrong_sizes_from_the_super_node_are_not_blamed_on_miners(
    client: AsyncClient, home: Home, network: RealNetwork, noise: Noise
) -> None:
    await client.put(FileSource(noise(100_000)), "file")
    with lying_super_node(network, wrong_sizes) as url:
        mislead(home, url)
        async with AsyncClient(home) as misled:
            report = await misled.get("file", home.directory / "copy")
    assert report.failures == []


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        {"shards": None},
        {"shards": [{"segment": "x"}]},
        {"shards": [{"segment": 0, "index": 0, "root": "zz", "size": 1, "miner": "a", "url": "b"}]},
        {"shards": [{"segment": 0, "index": 0, "root": "", "size": 1, "miner": "a", "url": "b"}]},
    ],
)
async def test_nonsense_from_the_super_node_is_malformed_not_a_crash(
    client: AsyncClient, home: Home, network: RealNetwork, noise: Noise, answer: Any
) -> None:
    await client.put(FileSource(noise(10)), "file")
    with lying_super_node(network, lambda _: answer) as url:
        mislead(home, url)
        async with AsyncClient(home) as misled:
            with pytest.raises(MalformedError):
                await misled.get("file", home.directory / "copy")


async def test_a_super_node_with_only_wrong_roots_gives_nothing_rather_than_something(
    client: AsyncClient, home: Home, network: RealNetwork, noise: Noise
) -> None:
    await client.put(FileSource(noise(100_000)), "file", code=Code(2, 6))
    with lying_super_node(network, lambda listing: wrong_roots(listing, 6)) as url:
        mislead(home, url)
        async with AsyncClient(home) as misled:
            with pytest.raises(UnavailableError, match="0 of 2 shards"):
                await misled.get("file", home.directory / "copy")


async def test_a_shard_that_vanishes_before_the_deal_is_verified_is_uploaded_again(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(200_000)
    removed: list[Path] = []

    def remove_one(done: int) -> None:
        """Called when all receipts are there and nothing is verified yet."""
        if done == 200_000 and not removed:
            file = client.catalogue.resolve("file")
            root = client.catalogue.segments(file.id)[0].shards[0].root
            path = network.holder(root).shard_file(root)
            assert path is not None
            path.unlink()
            removed.append(path)

    await client.put(FileSource(source), "file", progress=remove_one)
    assert removed
    report = await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert report.failures == []


async def test_a_miner_that_restarts_is_given_another_chance_when_nobody_else_is_left(
    client: AsyncClient, network: RealNetwork, noise: Noise
) -> None:
    restarting = network.miners[0]
    timers: list[threading.Timer] = []

    def restart(_: int) -> None:
        """Called when the first segment is placed; seven of eight miners are left for a while."""
        if not timers:
            restarting.kill()
            timers.append(threading.Timer(1.0, restarting.revive))
            timers[0].start()

    source = FileSource(noise(3 * SEGMENT_PLAIN))
    row = await client.put(source, "file", code=Code(2, 8), progress=restart)
    timers[0].join()
    for segment in client.catalogue.segments(row.id):
        assert len({entry.miner for entry in segment.shards}) == 8
