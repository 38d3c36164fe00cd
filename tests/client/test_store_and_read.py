"""Put and get against a real network: sizes, ranges, streams, names."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cybervein_client import AsyncClient
from cybervein_client.catalogue import DealState, FileState
from cybervein_client.download.get import _opened, part_path
from cybervein_client.transport import BulkTransport
from cybervein_client.upload import FileSource, StreamSource
from cybervein_protocol.coding import CHUNK_PLAIN, SEGMENT_PLAIN
from cybervein_protocol.coding.layout import STRIPE
from cybervein_protocol.dag import walk_segments
from cybervein_protocol.encoding import cid_root, cid_text, parse_cid
from cybervein_protocol.errors import ConflictError, FundsError, UnknownError
from cybervein_protocol.placement import Code
from real_network import RealNetwork

Noise = Callable[..., Path]


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_PLAIN - 1, CHUNK_PLAIN, CHUNK_PLAIN + 1, SEGMENT_PLAIN, SEGMENT_PLAIN + 1],
)
async def test_a_file_of_any_size_comes_back(
    client: AsyncClient, noise: Noise, tmp_path: Path, size: int
) -> None:
    source = noise(size)
    row = await client.put(FileSource(source), "file")
    assert (row.state, row.size) == (FileState.STORED, size)
    report = await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert report.failures == []


async def test_a_stream_of_unknown_size_is_stored_over_growing_deals(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    data = noise(3 * SEGMENT_PLAIN + 5).read_bytes()
    row = await client.put(StreamSource(io.BytesIO(data)), "stream")
    assert row.size == len(data)
    assert [deal.segments for deal in client.catalogue.deals(row.id)] == [1, 4]
    await client.get("stream", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


async def test_a_file_of_more_segments_than_a_deal_holds_uses_several_deals(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source = noise(8 * SEGMENT_PLAIN + 1)  # preset test: 8 segments in a deal
    row = await client.put(FileSource(source), "large", code=Code(2, 3))
    deals = client.catalogue.deals(row.id)
    assert [(deal.segments, deal.state) for deal in deals] == [
        (8, DealState.ACTIVE),
        (1, DealState.ACTIVE),
    ]
    await client.get("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


async def test_ranges_are_exact_and_ask_only_for_the_stripes_they_need(
    client: AsyncClient, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = SEGMENT_PLAIN + 3 * CHUNK_PLAIN
    data = noise(size).read_bytes()
    row = await client.put(StreamSource(io.BytesIO(data)), "ranges")
    chunks_of = {
        (0, 1): 1,
        (CHUNK_PLAIN - 1, CHUNK_PLAIN + 1): 2,
        (SEGMENT_PLAIN - 10, SEGMENT_PLAIN + 10): 1,  # of each segment
        (size - 1, size): 1,
        (size - 1, size + 100): 1,
        (size, size + 1): 0,
        (5, 5): 0,
    }
    asked: list[int] = []

    async def ask(*asking: Any, **more: Any) -> bytes:  # transport, shard, order, offset, length
        asked.append(asking[4])
        return await ask_really(*asking, **more)

    ask_really = BulkTransport.slice
    monkeypatch.setattr(BulkTransport, "slice", ask)
    with monkeypatch.context() as no_whole_shard:
        no_whole_shard.delattr(BulkTransport, "get")
        for (start, stop), chunks in chunks_of.items():
            asked.clear()
            got = b"".join([part async for part in client.stream("ranges", start, stop)])
            assert got == data[start:stop]
            leaf = -(-STRIPE // row.k)
            assert set(asked) == ({chunks * leaf} if chunks else set())
    assert b"".join([part async for part in client.stream("ranges", 7)]) == data[7:]


async def test_the_catalogue_keeps_a_dag_whose_leaves_are_the_shards_on_the_miners(
    client: AsyncClient, network: RealNetwork, noise: Noise
) -> None:
    row = await client.put(FileSource(noise(SEGMENT_PLAIN + 9)), "dag")
    root = parse_cid(row.cid or "", "file")
    nodes = list(walk_segments(root, lambda cid: client.catalogue.node(cid_text(cid))))
    assert [node.size for _, node in nodes] == [SEGMENT_PLAIN, 9]
    for _, node in nodes:
        holders = {network.holder(cid_root(shard)).address for shard in node.shards}
        assert len(holders) == row.n  # every shard of a segment in a domain of its own
    assert client.stored(row.cid or "").name == "dag"


async def test_the_same_put_again_changes_nothing_and_another_file_needs_another_name(
    client: AsyncClient, noise: Noise
) -> None:
    source = noise(1000)
    first = await client.put(FileSource(source), "name")
    assert await client.put(FileSource(source), "name") == first
    with pytest.raises(ConflictError, match="another --name"):
        await client.put(FileSource(noise(1001)), "name")


async def test_names_that_nobody_stored_are_unknown(client: AsyncClient, tmp_path: Path) -> None:
    for name in ("nothing", "bafyr4ifm2tpaeuqgyphzo6pcqdvafpfvriku6amox3a27isn33focy2cby"):
        with pytest.raises(UnknownError, match="cybervein ls"):
            await client.get(name, tmp_path / "copy")
    with pytest.raises(UnknownError, match="does not exist"):
        FileSource(tmp_path / "missing")


async def test_a_wallet_without_the_escrow_is_told_before_anything_is_sent(
    client: AsyncClient, noise: Noise
) -> None:
    with pytest.raises(FundsError, match="fewer --epochs"):
        await client.put(FileSource(noise(50_000_000)), "dear", epochs=10_000)
    assert client.files() == []


async def test_a_code_that_the_network_cannot_place_is_refused_with_the_reason(
    client: AsyncClient, noise: Noise
) -> None:
    with pytest.raises(ConflictError, match="failure domains are live"):
        await client.put(FileSource(noise(1000)), "wide", code=Code(2, 30))
    assert client.files() == []


async def test_existing_files_are_not_overwritten_unless_asked(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source = noise(1000)
    await client.put(FileSource(source), "file")
    copy = tmp_path / "copy"
    copy.write_bytes(b"precious")
    with pytest.raises(ConflictError, match="--force"):
        await client.get("file", copy)
    assert copy.read_bytes() == b"precious"
    await client.get("file", copy, replace=True)
    assert copy.read_bytes() == source.read_bytes()
    os.mkfifo(tmp_path / "pipe")
    for place, word in ((tmp_path / "pipe", "no regular file"), (tmp_path, "is a folder")):
        with pytest.raises(ConflictError, match=word):
            await client.get("file", place, replace=True)
    assert (tmp_path / "pipe").is_fifo()


async def test_two_gets_never_write_one_file(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source, copy = noise(5000), tmp_path / "copy"
    row = await client.put(FileSource(source), "file")
    part = part_path(copy, row)
    with _opened(part) as first:
        first.write(b"of the first")
        with pytest.raises(ConflictError, match="wait until it ends"):
            await client.get("file", copy)
        assert part.read_bytes() == b"of the first"
    await client.get("file", copy)
    assert copy.read_bytes() == source.read_bytes()
    assert not part.exists()


async def test_what_came_to_the_destination_meanwhile_is_not_replaced(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source, copy = noise(5000), tmp_path / "copy"
    await client.put(FileSource(source), "file")
    with pytest.raises(ConflictError, match="copy exists; name another file or use --force"):
        await client.get("file", copy, progress=lambda _: copy.write_bytes(b"somebody's own"))
    assert copy.read_bytes() == b"somebody's own"
    copy.unlink()
    await client.get("file", copy)
    assert copy.read_bytes() == source.read_bytes()
