"""Reads over damaged, missing, slow and dead miners: repaired, and the guilty are named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.catalogue import FileRow
from cybervein_client.download.locate import Placed
from cybervein_client.home import Home
from cybervein_client.upload import FileSource
from cybervein_protocol.audit import Outcome
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.placement import Code
from real_network import RealMiner, RealNetwork
from services import run

Noise = Callable[..., Path]
SIZE = SEGMENT_PLAIN + 100_000


def shard(client: AsyncClient, row: FileRow, segment: int, index: int) -> bytes:
    return client.catalogue.segments(row.id)[segment].shards[index].root


def holder(network: RealNetwork, root: bytes) -> tuple[RealMiner, Path]:
    miner = network.holder(root)
    file = miner.shard_file(root)
    assert file is not None
    return miner, file


def flip(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(100)
        byte = opened.read(1)
        opened.seek(100)
        opened.write(bytes([byte[0] ^ 1]))


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def unlink(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("damage", [flip, truncate, empty, unlink])
async def test_a_damaged_shard_is_replaced_by_a_spare_and_its_miner_named(
    client: AsyncClient,
    network: RealNetwork,
    noise: Noise,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    source = noise(SIZE)
    row = await client.put(FileSource(source), "file")
    miner, file = holder(network, shard(client, row, 0, 0))
    damage(file)
    report = await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert [(f.segment, f.index) for f in report.failures] == [(0, 0)]
    assert miner.address in report.failures[0].reason or miner.url in report.failures[0].reason


async def test_swapped_shards_are_wrong_bytes_of_both_miners(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(SEGMENT_PLAIN)
    row = await client.put(FileSource(source), "file")
    (first, one), (second, two) = (
        holder(network, shard(client, row, 0, index)) for index in (0, 1)
    )
    kept = tmp_path / "kept"
    shutil.copy(one, kept)
    shutil.copy(two, one)
    shutil.copy(kept, two)
    report = await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    named = " ".join(failure.reason for failure in report.failures)
    assert first.address in named
    assert second.address in named


async def test_a_range_read_over_a_flipped_bit_is_repaired_from_another_miner(
    client: AsyncClient, network: RealNetwork, noise: Noise
) -> None:
    source = noise(SIZE)
    row = await client.put(FileSource(source), "file")
    _, file = holder(network, shard(client, row, 0, 0))
    flip(file)
    got = b"".join([part async for part in client.stream("file", 10, 1000)])
    assert got == source.read_bytes()[10:1000]


async def test_any_k_miners_are_enough_and_fewer_are_named_as_missing(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(100_000)
    row = await client.put(FileSource(source), "file", code=Code(2, 4))
    holders = [holder(network, shard(client, row, 0, index))[0] for index in range(4)]
    for miner in holders[:2]:
        miner.kill()
    await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    holders[2].kill()
    with pytest.raises(UnavailableError, match="1 of 2 shards that it needs") as failed:
        await client.get("file", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert len(failed.value.__notes__) == 3
    holders[3].kill()
    seconds = client.network.genesis.preset.epoch_seconds
    told_in_one_line(client.home, [miner.address for miner in holders], seconds)


def told_in_one_line(home: Home, away: list[str], seconds: int) -> None:
    """How many are away and when to try again; who, only where somebody asks."""
    line = ("--home", home.directory, "get", "file", "--out", home.directory / "never")
    short, long, document = run(*line), run("-v", *line), json.loads(run("--json", *line).stdout)
    expected = (
        "error: segment 0 of file: 0 of 2 shards that it needs could be read, "
        "4 of 4 holders are away; "
        f"try again in {seconds} s, `cybervein miners` shows who is back"
    )
    assert short.stderr == f"{expected}; `cybervein -v …` tells each\n"
    assert long.stderr.splitlines()[0] == expected
    assert f"error: {document['message']}" == expected
    for told in (long.stderr.splitlines()[1:], document["details"]):
        assert len(told) == len(away)
        assert all(sum(address in each for each in told) == 1 for address in away)


async def test_a_spare_overtakes_a_miner_that_hangs(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(SIZE)
    row = await client.put(FileSource(source), "file")
    hanging, _ = holder(network, shard(client, row, 0, 0))
    hanging.pause()
    await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


async def test_a_put_goes_round_a_miner_that_dies_before_it_answers(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(SIZE)
    dead = network.miners[3]
    dead.kill()  # the super node's last sighting still counts it as online
    row = await client.put(FileSource(source), "file", code=Code(2, 7))
    miners = {
        shard.miner for segment in client.catalogue.segments(row.id) for shard in segment.shards
    }
    assert len(miners) == 7
    await client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


async def test_reading_goes_on_while_the_super_node_is_away(
    client: AsyncClient, network: RealNetwork, noise: Noise, tmp_path: Path
) -> None:
    source = noise(SIZE)
    await client.put(FileSource(source), "file")
    await client.get("file", tmp_path / "first")
    network.supernode.kill()
    await client.get("file", tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == source.read_bytes()


async def test_the_owners_audit_tells_wrong_shards_and_silent_miners_apart(
    client: AsyncClient, network: RealNetwork, noise: Noise
) -> None:
    row = await client.put(FileSource(noise(100_000)), "file")
    assert {check.outcome for check in await client.audit("file", 8)} == {Outcome.PASSED}
    _, file = holder(network, shard(client, row, 0, 0))
    file.write_bytes(bytes(file.stat().st_size))
    holder(network, shard(client, row, 0, 1))[0].kill()
    outcomes = {check.index: check.outcome for check in await client.audit("file", 1000)}
    assert outcomes.pop(0) is Outcome.WRONG
    assert outcomes.pop(1) is Outcome.TIMEOUT
    assert set(outcomes.values()) == {Outcome.PASSED}


async def test_the_owners_audit_asks_for_what_the_files_cid_names_whatever_the_ledger_says(
    client: AsyncClient, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.put(FileSource(noise(100_000)), "file")
    placed = await client._locator.locate(client.stored("file"))
    placed[0][0] = placed[0][1]

    async def swapped(_: FileRow) -> Placed:
        return placed

    monkeypatch.setattr(client._locator, "locate", swapped)
    checks = await client.audit("file", 8)
    [wrong] = [check for check in checks if check.outcome is not Outcome.PASSED]
    assert (wrong.index, wrong.outcome) == (0, Outcome.WRONG)
    assert wrong.reason.startswith("the file names shard ")
