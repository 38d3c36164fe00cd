"""PUT of shards: what is acknowledged is whole and durable, what fails leaves nothing."""

import asyncio
import base64
import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.api.bulk import PIECE_BYTES
from cybervein_miner.record.journal import T, Work
from cybervein_miner.shard.incoming import Incoming
from cybervein_miner.shard.index import Claim
from cybervein_protocol.encoding import encode
from cybervein_protocol.messages import decode_receipt, order_header, verify_receipt
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.tree import root_and_outboard
from cybervein_runtime.http_client import sign_headers
from miner_world import Running, World, serving, settings_of, shard_bytes

SIZES = [1, 1024, 1025, 16384, 16385, 65536, 262144, PIECE_BYTES - 1, PIECE_BYTES + 1, 5_000_011]


def files_of(miner: Running) -> list[str]:
    disk = miner.node.basis.rack.disks[0]
    folders = [disk.folder("shards"), disk.folder("tmp"), disk.folder("trash")]
    return sorted(f.name for folder in folders for f in folder.rglob("*") if f.is_file())


def error_of(body: bytes) -> str:
    return str(json.loads(body)["error"])


@pytest.mark.parametrize("size", SIZES)
async def test_a_shard_is_stored_under_its_root_and_receipted(miner: Running, size: int) -> None:
    data = shard_bytes(size)
    root, outboard = root_and_outboard(data)
    status, body = await miner.put(data)
    assert status == 201
    receipt = decode_receipt(body)
    verify_receipt(receipt)
    assert (receipt.root, receipt.size, receipt.miner) == (root, size, miner.key)
    assert (receipt.segment, receipt.index, receipt.deal) == (3, 1, miner.world.deal)
    path = miner.node.basis.rack.disks[0].folder("shards") / root.hex()[:2] / root.hex()
    assert path.read_bytes() == data
    beside = path.with_name(path.name + ".obao")
    assert (beside.read_bytes() if beside.exists() else b"") == outboard


async def test_the_connection_stays_usable_after_each_kind_of_upload(miner: Running) -> None:
    for size in (10, 300_000, 5_000_000, 40_000, 3_000_000):
        data = shard_bytes(size)
        assert (await miner.put(data))[0] == 201
        assert await miner.get(blake3(data).digest()) == (200, data)
    assert len(miner.http.connector._conns) <= 1  # type: ignore[union-attr] -- one was enough


async def test_putting_again_gives_the_same_receipt_and_uses_nothing(miner: Running) -> None:
    data = shard_bytes(100_000)
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "PUT", root, max_bytes=len(data))
    first = await miner.put(data, order)
    assert await miner.put(data, order) == first
    assert miner.node.basis.orders.used(order) == len(data)


async def test_bytes_of_another_root_are_refused_and_forgotten(miner: Running) -> None:
    data = shard_bytes(700_000)
    root = blake3(data).digest()
    flipped = bytearray(data)
    flipped[333_333] ^= 1
    status, body = await miner.put(bytes(flipped), root=root)
    assert (status, error_of(body)) == (422, "proof")
    assert files_of(miner) == []
    assert (await miner.put(data))[0] == 201


async def test_two_swapped_shards_are_both_refused(miner: Running) -> None:
    first, second = shard_bytes(50_000, 1), shard_bytes(50_000, 2)
    for data, other in ((first, second), (second, first)):
        status, body = await miner.put(data, root=blake3(other).digest())
        assert (status, error_of(body)) == (422, "proof")
    assert files_of(miner) == []


async def test_an_upload_above_its_order_is_refused_before_it_is_read(miner: Running) -> None:
    data = shard_bytes(200_000)
    root = blake3(data).digest()
    small = miner.world.order(miner.key, "PUT", root, max_bytes=199_999)
    status, body = await miner.put(data, small)
    assert (status, error_of(body)) == (413, "limit")
    assert files_of(miner) == []


async def test_an_upload_above_the_largest_shard_is_refused(miner: Running) -> None:
    root = bytes(32)
    order = miner.world.order(miner.key, "PUT", root, max_bytes=1 << 40)
    writer = await _begin(miner, root, order_header(order), (64 << 20) + 1, b"")
    head, _ = await _answer(*writer)
    assert b" 413 " in head


async def test_a_body_without_length_is_refused(miner: Running) -> None:
    async def chunks() -> object:
        yield b"x" * 1000

    root = blake3(b"x" * 1000).digest()
    order = miner.world.order(miner.key, "PUT", root)
    url = f"{miner.url}/v1/shards/{root.hex()}?segment=0&index=0"
    headers = sign_headers(miner.world.bearer, "PUT", url, body=None, order=encode(order))
    async with miner.http.put(url, data=chunks(), headers=headers) as answer:
        assert (answer.status, error_of(await answer.read())) == (400, "malformed")


@pytest.mark.parametrize("sent", [0, 100, 70_000, 900_000])
async def test_an_upload_that_breaks_off_leaves_nothing(miner: Running, sent: int) -> None:
    data = shard_bytes(1_000_000)
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "PUT", root)
    _, writer = await _begin(miner, root, order_header(order), len(data), data[:sent])
    writer.close()
    await writer.wait_closed()
    while miner.node.basis.tally.upload_failures == 0:
        await asyncio.sleep(0.01)
    assert files_of(miner) == []
    assert (await miner.put(data))[0] == 201


async def test_a_reset_connection_leaves_nothing(miner: Running) -> None:
    data = shard_bytes(2_000_000)
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "PUT", root)
    _, writer = await _begin(miner, root, order_header(order), len(data), data[:1_500_000])
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()
    while miner.node.basis.tally.upload_failures == 0:
        await asyncio.sleep(0.01)
    assert files_of(miner) == []


async def test_the_same_shard_twice_at_once_is_stored_once(miner: Running) -> None:
    data = shard_bytes(3_000_000)
    answers = await asyncio.gather(*(miner.put(data) for _ in range(4)))
    assert {status for status, _ in answers} <= {201, 409}
    assert 201 in {status for status, _ in answers}
    assert await miner.get(blake3(data).digest()) == (200, data)


async def test_many_uploads_at_once_are_all_stored(miner: Running) -> None:
    shards = [shard_bytes(200_000 + seed, seed) for seed in range(30)]
    answers = await asyncio.gather(*(miner.put(data) for data in shards))
    assert {status for status, _ in answers} == {201}
    for data in shards:
        assert await miner.get(blake3(data).digest()) == (200, data)


async def test_a_foreign_bearer_cannot_use_an_order(miner: Running) -> None:
    data = shard_bytes(1000)
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "PUT", root)
    thief = KeyPair(bytes(32))
    path = f"/v1/shards/{root.hex()}?segment=0&index=0"
    status, body = await miner.call("PUT", path, data, order, key=thief)
    assert (status, error_of(body)) == (403, "forbidden")


async def test_a_full_disk_says_so_and_keeps_what_it_has(
    world: World, tmp_path: Path, mount: object
) -> None:
    disk = mount("8m")  # type: ignore[operator]
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        stored = []
        for seed in range(12):
            data = shard_bytes(1 << 20, seed)
            status, body = await miner.put(data)
            if status != 201:
                break
            stored.append(data)
        assert (status, error_of(body)) == (507, "storage")
        assert str(disk) in json.loads(body)["message"]
        assert 5 <= len(stored) <= 7
        for data in stored:
            assert await miner.get(blake3(data).digest()) == (200, data)


async def test_a_disk_that_fills_up_under_an_upload_fails_only_that_upload(
    world: World, tmp_path: Path, mount: object
) -> None:
    disk = mount("8m")  # type: ignore[operator]
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        kept, data = shard_bytes(100_000, 1), shard_bytes(4 << 20, 2)
        assert (await miner.put(kept))[0] == 201
        root = blake3(data).digest()
        order = miner.world.order(miner.key, "PUT", root)
        reader, writer = await _begin(miner, root, order_header(order), len(data), data[: 1 << 20])
        arriving = miner.node.basis.rack.disks[0].folder("tmp")
        while not any(file.stat().st_size > 10_000 for file in arriving.iterdir()):
            await asyncio.sleep(0.01)
        fill(disk / "someone-elses")
        writer.write(data[1 << 20 :])
        head, body = await _answer(reader, writer)
        assert b" 507 " in head
        assert b"No space left" in body
        assert await miner.get(blake3(kept).digest()) == (200, kept)
        (disk / "someone-elses").unlink()
        assert (await miner.put(data))[0] == 201


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass


async def _begin(
    miner: Running, root: bytes, order: str, length: int, data: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A raw connection with the request's head and `data` of the body on it."""
    host, port = miner.url.removeprefix("http://").split(":")
    path = f"/v1/shards/{root.hex()}?segment=0&index=0"
    raw = base64.urlsafe_b64decode(order + "=" * (-len(order) % 4))
    headers = sign_headers(miner.world.bearer, "PUT", miner.url + path, body=None, order=raw)
    lines = [f"PUT {path} HTTP/1.1", f"host: {host}:{port}", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
    await writer.drain()
    return reader, writer


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    body = await reader.readexactly(int(lengths[0].split(b":")[1]))
    writer.close()
    return head, body


async def test_a_put_that_meets_the_last_delete_is_an_upload(
    miner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, data = miner.node.basis.store, shard_bytes(5000)
    root = blake3(data).digest()
    assert (await miner.put(data))[0] == 201
    claim_again = store.claim_again

    async def late(root: bytes, claim: Claim) -> bool:
        await store.delete(root, miner.world.deal)
        return await claim_again(root, claim)

    monkeypatch.setattr(store, "claim_again", late)
    assert (await miner.put(data))[0] == 201
    assert store.reader.held(root).held
    assert await miner.get(root) == (200, data)


async def test_what_is_sent_again_before_its_disk_moves_it_to_the_trash_stays(
    miner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, data = miner.node.basis.store, shard_bytes(5000)
    root = blake3(data).digest()
    assert (await miner.put(data))[0] == 201
    write = store.journal.write

    async def slow(work: Work[T], *, durable: bool = True) -> T:
        done = await write(work, durable=durable)
        monkeypatch.setattr(store.journal, "write", write)
        assert (await miner.put(data))[0] == 201
        return done

    monkeypatch.setattr(store.journal, "write", slow)
    await store.delete(root, miner.world.deal)
    assert await miner.get(root) == (200, data)


async def test_a_disk_that_is_taken_in_again_keeps_what_is_being_uploaded(miner: Running) -> None:
    store, data = miner.node.basis.store, shard_bytes(5000)
    root = blake3(data).digest()
    with store.receive(root, len(data)) as incoming:
        incoming.write(data)
        miner.node.upkeep.take_in(miner.node.basis.rack.disks)
        incoming.finish()


async def test_a_file_that_others_remove_while_it_comes_is_told_to_the_uploader(
    miner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, finish = shard_bytes(5000), Incoming.finish

    def late(incoming: Incoming) -> None:
        [file] = incoming.disk.folder("tmp").iterdir()
        file.unlink()
        finish(incoming)

    monkeypatch.setattr(Incoming, "finish", late)
    status, body = await miner.put(data)
    assert (status, error_of(body)) == (507, "storage")
    assert miner.node.basis.tally.upload_failures == 1
    monkeypatch.setattr(Incoming, "finish", finish)
    assert (await miner.put(data))[0] == 201
