"""A disk that goes or comes is one event, with what it costs and what to do; counts tell it too."""

import asyncio
import json
import re
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cybervein_miner.chain.earnings import Earnings, earned_per_day, in_coins
from cybervein_miner.duty.disk_events import DiskChange, DiskNow, change_of
from cybervein_miner.plot.inventory import PlotState
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.space import Challenge
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import MAIN, TEST
from documents import made
from miner_world import Running, World, serving, settings_of, shard_bytes
from structlog.testing import capture_logs

pytestmark = pytest.mark.usefixtures("by_hand")

Logs = Sequence[MutableMapping[str, Any]]
AWAY = "disk is away; the others keep working"
ALL_AWAY = "all disks are away: nothing is proved, served or taken until one is back"
BACK, NOT_ALL_AWAY = "disk is back", "not all disks are away any more"
EVENTS = {AWAY, ALL_AWAY, BACK, NOT_ALL_AWAY}


def events(logs: Logs) -> list[str]:
    return [str(each["event"]) for each in logs if each["event"] in EVENTS]


def seen(state: DiskState, path: str = "/a", *, readable: bool | None = None) -> DiskNow:
    usual = state in {DiskState.READY, DiskState.READ_ONLY}
    return DiskNow(path, state, usual if readable is None else readable)


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (seen(DiskState.READY), seen(DiskState.MISSING), DiskChange.AWAY),
        (seen(DiskState.READY), seen(DiskState.READY), None),
        (seen(DiskState.READY), seen(DiskState.FOREIGN), DiskChange.AWAY),
        (seen(DiskState.MISSING), seen(DiskState.MISSING), None),
        (seen(DiskState.MISSING), seen(DiskState.QUARANTINED), DiskChange.OTHER),
        (seen(DiskState.READY), seen(DiskState.READ_ONLY), DiskChange.OTHER),
        (seen(DiskState.READ_ONLY), seen(DiskState.READY), DiskChange.BACK),
        (seen(DiskState.MISSING), seen(DiskState.READY), DiskChange.BACK),
        (seen(DiskState.READY), seen(DiskState.READY, "/b"), DiskChange.FOUND),
        (seen(DiskState.READY), seen(DiskState.DRAINED), None),
    ],
)
def test_what_is_said_of_a_change(before: DiskNow, now: DiskNow, change: DiskChange | None) -> None:
    assert change_of(before, now) is change


def test_what_a_day_earns_is_the_mean_of_the_ledgers_last_epochs() -> None:
    epochs = [
        made(PastContribution, reward=Veins(reward), fees=Veins(fees))
        for reward, fees in ((300, 10), (100, 0))
    ]
    day = 24 * 3600 // MAIN.epoch_seconds
    earned = earned_per_day(epochs, MAIN)
    assert earned == Earnings(Veins(200 * day), Veins(5 * day))
    assert earned.part(plots=0.5, shards=1.0) == 105 * day
    assert earned_per_day([], MAIN) is None
    assert in_coins(round(1.234567 * 10**MAIN.coin_decimals), MAIN) == "1.2346"


async def test_lost_and_found_disks_are_events_and_nothing_else_is_said(
    world: World, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    settings = settings_of(world, tmp_path, first, second, wish=Wish(plots=6))
    asked = Challenge(1, bytes(32), 8)
    async with serving(world, settings) as miner:
        await _fill(miner, 6)
        assert (await miner.put(shard_bytes(5000)))[0] == 201
        epoch = made(PastContribution, reward=Veins(10**8))
        miner.node.basis.standing.paid.see([epoch])
        on_first = _plots_on(miner, first)
        with capture_logs() as logs:
            first.rename(tmp_path / "aside")
            for _ in range(3):
                await asyncio.to_thread(miner.node.watch.prover.prove, asked)
                await asyncio.to_thread(miner.node.upkeep.look)
        assert [(each["event"], each["path"]) for each in logs] == [(AWAY, str(first))]
        _tells_what_it_costs(logs[0], on_first, miner)
        status = miner.node.board.document()
        assert status.plots_by_state["away"] == on_first
        assert status.plots_by_state["active"] == status.proofs.counting == 6 - on_first
        with capture_logs() as logs:
            second.rename(tmp_path / "aside too")
            for _ in range(3):
                await asyncio.to_thread(miner.node.watch.prover.prove, asked)
                await asyncio.to_thread(miner.node.upkeep.look)
        assert events(logs) == [AWAY, ALL_AWAY]
        assert len(logs) == 2
        (tmp_path / "aside").rename(first)
        with capture_logs() as logs:
            await asyncio.to_thread(miner.node.upkeep.look)
        assert events(logs) == [BACK, NOT_ALL_AWAY]
        assert miner.node.board.document().proofs.counting == on_first


def _tells_what_it_costs(event: MutableMapping[str, Any], plots: int, miner: Running) -> None:
    day = 24 * 3600 / TEST.epoch_seconds * 10**8
    loss = in_coins(round(day * plots / 6), miner.node.basis.preset)
    assert event["loss_per_day"] == f"about {loss} coins"
    assert event["plots"] == plots
    assert event["shards"] in {0, 1}
    assert "is it mounted?" in event["reason"]
    assert event["next_step"].startswith("plug it in or mount it")


async def test_a_start_without_a_disk_tells_it_once(world: World, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    settings = settings_of(world, tmp_path, first, second)
    async with serving(world, settings):
        pass
    first.rename(tmp_path / "aside")
    with capture_logs() as logs:
        async with serving(world, settings) as miner:
            await asyncio.to_thread(miner.node.upkeep.look)
    assert events(logs) == [AWAY]


async def test_exchanged_directories_are_told_at_the_start(world: World, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    settings = settings_of(world, tmp_path, first, second)
    async with serving(world, settings):
        pass
    first.rename(tmp_path / "aside")
    second.rename(first)
    (tmp_path / "aside").rename(second)
    with capture_logs() as logs:
        async with serving(world, settings) as miner:
            await asyncio.to_thread(miner.node.upkeep.look)
    told = [(e["path"], e["given_as"]) for e in logs if "given_as" in e]
    assert told == [(str(first), str(second)), (str(second), str(first))]


async def test_a_bandwidth_read_of_a_lost_disk_is_answered_in_words(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    async with serving(world, settings_of(world, tmp_path, disk, wish=Wish(plots=2))) as miner:
        await _fill(miner, 2)
        one, other = miner.node.basis.inventory.rows()
        miner.node.basis.inventory.path(other)[1].unlink()
        assert await _read(miner, other.gamma) == (404, f"plot {other.number} is lost")
        assert miner.node.basis.inventory.find(other.gamma).state is PlotState.BAD
        disk.rename(tmp_path / "aside")
        assert await _read(miner, one.gamma) == (507, f"disk {disk}: missing")
        assert await _read(miner, one.gamma) == (507, f"disk {disk}: missing")
        (tmp_path / "aside").rename(disk)
        await asyncio.to_thread(miner.node.upkeep.look)
        assert (await _read(miner, one.gamma))[0] == 200


async def _read(miner: Running, gamma: bytes) -> tuple[int, str]:
    """Status, and the first words of a refusal."""
    key = miner.world.super_key
    order = miner.world.order(miner.key, "READ", gamma, bearer=key.public)
    path = f"/v1/plots/{gamma.hex()}?offset=0&length=1024"
    status, body = await miner.call("GET", path, order=order, key=key)
    if status == 200:
        return status, ""
    return status, re.split(r" \(|: /", json.loads(body)["message"])[0]


async def _fill(miner: Running, plots: int) -> None:
    inventory = miner.node.basis.inventory
    async with asyncio.timeout(300):
        while len(inventory.rows()) < plots:
            await asyncio.sleep(0.02)
    inventory.set_state(inventory.rows(), PlotState.ACTIVE, blake3(b"batch").digest())


def _plots_on(miner: Running, path: Path) -> int:
    basis = miner.node.basis
    disk = next(disk for disk in basis.rack.disks if disk.path == path)
    return sum(row.disk == disk.id for row in basis.inventory.rows())


async def test_shards_of_a_lost_disk_are_away_and_not_held(world: World, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        assert (await miner.put(shard_bytes(5000)))[0] == 201
        status = miner.node.board.document()
        assert (status.shards, status.shard_bytes, status.shards_away) == (1, 5000, 0)
        disk.rename(tmp_path / "aside")
        await asyncio.to_thread(miner.node.upkeep.look)
        status = miner.node.board.document()
        assert (status.shards, status.shard_bytes, status.shards_away) == (0, 0, 1)
        assert "1 shards are away with their disks" in status.degraded
        (tmp_path / "aside").rename(disk)
        await asyncio.to_thread(miner.node.upkeep.look)
        assert miner.node.board.document().shards == 1


async def test_the_last_disk_given_up_is_not_told_as_one_that_came_back(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "only")) as miner:
        [disk] = miner.node.basis.rack.disks
        (tmp_path / "only").rename(tmp_path / "aside")
        await asyncio.to_thread(miner.node.upkeep.look)
        with capture_logs() as logs:
            url = f"{miner.url}/v1/disks/{disk.id}?force=true"
            assert (await miner.owner().request("DELETE", url)).json()["gone"]
            await asyncio.to_thread(miner.node.upkeep.look)
        assert events(logs) == []
        [asked] = [each for each in logs if each["event"] == "disk is to be removed"]
        assert (asked["path"], asked["force"]) == (str(tmp_path / "only"), True)
