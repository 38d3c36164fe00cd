"""A miner whose disks are all away: it keeps running, says why, does nothing, and comes back."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from blake3 import blake3
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.marker import create_marker, marker_path
from cybervein_miner.duty import upkeep
from cybervein_miner.node.assembly import assemble
from cybervein_miner.plot.inventory import PlotState
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.space import Challenge
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, StorageError
from cybervein_protocol.messages import AuditRequest
from cybervein_protocol.messages.audits import AuditItem
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import SignedClient
from miner_world import Running, World, serving, settings_of, shard_bytes
from services import miner, run, super_node
from waiting import until

OTHER = KeyPair(b"\x02" * 32)
Harm = Callable[[Path], None]


def unmounted(disk: Path) -> None:
    """What is left of a mount point."""
    disk.rename(disk.with_name("aside"))
    disk.mkdir()


def mounted(disk: Path) -> None:
    shutil.rmtree(disk, ignore_errors=True)
    disk.with_name("aside").rename(disk)


def gone(disk: Path) -> None:
    disk.rename(disk.with_name("aside"))


def without_marker(disk: Path) -> None:
    marker_path(disk).rename(disk.with_name("aside"))


def with_marker(disk: Path) -> None:
    disk.with_name("aside").rename(marker_path(disk))


def with_damaged_marker(disk: Path) -> None:
    without_marker(disk)
    marker_path(disk).write_bytes(b"\xff" * 40)


def unreadable(disk: Path) -> None:
    without_marker(disk)
    marker_path(disk).mkdir()  # a read of it fails, whoever reads


def readable(disk: Path) -> None:
    marker_path(disk).rmdir()
    with_marker(disk)


def foreign(disk: Path) -> None:
    without_marker(disk)
    create_marker(disk, OTHER, 1)


AWAY: list[tuple[Harm, Harm, str, str]] = [
    (unmounted, mounted, "missing", "is it mounted?"),
    (gone, mounted, "missing", "is it mounted?"),
    (without_marker, with_marker, "missing", "is it mounted?"),
    (with_damaged_marker, with_marker, "quarantined", "disk marker"),
    (unreadable, readable, "quarantined", "disk.marker"),
    (foreign, with_marker, "foreign", "belongs to miner"),
]


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upkeep looks all the time."""
    monkeypatch.setattr(upkeep, "UPKEEP_SECONDS", 0.02)


async def probe(at: Running, name: str) -> tuple[int, dict[str, object]]:
    async with at.http.get(f"{at.url}/{name}") as answer:
        return answer.status, await answer.json()


async def until_ready(at: Running) -> None:
    async with asyncio.timeout(300):
        while (await probe(at, "readyz"))[0] != 200:
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("_soon")
@pytest.mark.parametrize(
    ("harm", "mend", "state", "why"), AWAY, ids=[harm.__name__ for harm, *_ in AWAY]
)
async def test_it_lives_names_its_disk_does_nothing_and_comes_back(  # noqa: PLR0913, PLR0917 -- a case
    world: World, tmp_path: Path, harm: Harm, mend: Harm, state: str, why: str
) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk)
    data = shard_bytes(50_000)
    root = blake3(data).digest()
    async with serving(world, settings) as first:
        assert (await first.put(data))[0] == 201
    harm(disk)
    async with serving(world, settings) as again:
        again.node.basis.sight.before = 3  # as after a restart that heard an epoch
        [document] = again.node.board.document().disks
        assert (document.state, document.path) == (state, str(disk))
        assert why in document.reason
        status, ready = await probe(again, "readyz")
        assert (status, ready["message"]) == (503, "no disk can be read")
        assert [each["state"] for each in ready["disks"]] == [state]  # type: ignore[attr-defined]
        assert any(str(disk) in line for line in ready["reasons"])  # type: ignore[attr-defined]
        assert (await probe(again, "startupz"))[0] == 200
        assert (await probe(again, "healthz"))[0] == 200
        assert (await again.put(shard_bytes(100, 1)))[0] == 507
        assert (await again.get(root))[0] == 507
        mend(disk)
        await until_ready(again)
        assert await again.get(root) == (200, data)
        assert (await again.put(shard_bytes(100, 1)))[0] == 201


@pytest.mark.usefixtures("by_hand")
async def test_it_proves_nothing_admits_nothing_and_loses_nothing(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk, wish=Wish(plots=2))
    data, asked = shard_bytes(50_000), Challenge(1, bytes(32), 4)
    async with serving(world, settings) as first:
        assert (await first.put(data))[0] == 201
        inventory = first.node.basis.inventory
        async with asyncio.timeout(300):
            while len(rows := inventory.rows()) < 2:
                await asyncio.sleep(0.05)
        inventory.set_state(rows, PlotState.ACTIVE, bytes(32))
        prove = first.node.watch.prover.prove
        assert await asyncio.to_thread(prove, asked) is not None
    unmounted(disk)
    async with serving(world, settings) as again:
        inventory, prove = again.node.basis.inventory, again.node.watch.prover.prove
        assert await asyncio.to_thread(prove, asked) is None
        item = AuditItem(root=blake3(data).digest(), chunk=0)
        request = AuditRequest(v=1, epoch=1, holding=bytes(32), items=[item])
        with pytest.raises(CyberVeinError, match="audit again later"):
            await SignedClient(world.super_key, again.http).request(
                "POST", f"{again.url}/v1/audit", body=encode(request)
            )
        assert {row.state for row in inventory.rows()} == {PlotState.ACTIVE}
        assert again.node.basis.store.index.totals().shards == 1
        assert again.node.board.document().plots_wanted == 2
        assert list(disk.iterdir()) == [], "nothing was written under the mount point"
        mounted(disk)
        await asyncio.to_thread(again.node.upkeep.look)
        assert await asyncio.to_thread(prove, asked) is not None


@pytest.mark.usefixtures("_soon")
async def test_what_lies_on_a_disk_that_comes_back_is_taken_in(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk)
    data = shard_bytes(50_000)
    async with serving(world, settings) as first:
        assert (await first.put(data))[0] == 201
        [known] = first.node.basis.rack.disks
        left = known.folder("tmp") / ("ab" * 32)
        left.write_bytes(b"half an upload")
    unmounted(disk)
    async with serving(world, settings) as again:
        again.node.basis.sight.before = 3
        mounted(disk)
        await until_ready(again)
        async with asyncio.timeout(300):
            while left.exists():
                await asyncio.sleep(0.02)
        assert await again.get(blake3(data).digest()) == (200, data)


@pytest.mark.usefixtures("by_hand")
async def test_one_that_comes_before_the_first_look_is_taken_in(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk)
    async with serving(world, settings):
        pass
    disk.rename(tmp_path / "away")
    async with serving(world, settings) as again:
        keeping, taken = again.node.upkeep, list[Disk]()
        keeping.take_in = taken.extend
        (tmp_path / "away").rename(disk)
        await asyncio.to_thread(again.node.basis.rack.look)
        await asyncio.to_thread(keeping.look)
        assert [each.path for each in taken] == [disk]


async def test_one_that_failed_in_use_waits_for_a_person(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "disk")
    async with serving(world, settings) as running:
        [disk] = running.node.basis.rack.disks
        disk.failures.files |= {"a", "b", "c"}
        disk.failures.wait()
        disk.quarantine("3 I/O errors")
        await asyncio.to_thread(running.node.upkeep.look)
        assert disk.state == "quarantined", "its marker can be read, and its next shard may not"
        body = json.dumps({"path": str(disk.path)}).encode()
        await running.owner().request("POST", f"{running.url}/v1/disks", body=body)
        assert disk.state == "ready"


def test_a_mistyped_path_at_the_first_start_is_an_error_at_once(
    world: World, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    line = ["mine", "--network", str(world.file), "--data", str(tmp_path / "data")]
    done = run(*line, "--disk", wrong, environment={"COLUMNS": "500"})
    assert done.returncode != 0
    assert f"{wrong} is not a directory; mount the disk and create it first" in done.stderr
    assert not wrong.exists()
    assert not (tmp_path / "data" / "run.json").exists()


def test_a_first_start_without_disks_asks_for_one(world: World, tmp_path: Path) -> None:
    node = assemble(settings_of(world, tmp_path), "http://127.0.0.1:1")
    with pytest.raises(StorageError, match="no disk was given; use --disk PATH"):
        node.open()
    node.basis.journal.close()


@pytest.mark.usefixtures("_soon")
async def test_one_that_is_ruled_from_afar_says_so_from_its_first_start_on(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk, control=OTHER.public)
    create_marker(disk, OTHER, 1)
    async with serving(world, settings) as running:
        running.node.basis.sight.before = 3
        [document] = running.node.board.document().disks
        assert (document.id, document.state) == ("", "foreign")
        assert (await probe(running, "readyz"))[0] == 503
        (disk / "cybervein").rename(tmp_path / "theirs")  # in one step: it is claimed at once
        await until_ready(running)


async def test_a_real_process_comes_back_with_its_disk(tmp_path: Path) -> None:
    node = super_node(tmp_path / "super").start()
    mine = miner(tmp_path / "m", tmp_path / "super" / "network.json", "--plots", "1").start()
    until(lambda: mine.status()["epoch"], "an epoch")
    assert mine.stop() == 0
    unmounted(tmp_path / "m" / "disk")
    mine.start()
    assert [each["state"] for each in mine.status()["disks"]] == ["missing"]
    assert str(tmp_path / "m" / "disk") in mine.log.read_text()
    async with aiohttp.ClientSession() as http:
        for name, expected in (("healthz", 200), ("readyz", 503)):
            async with http.get(f"{mine.url}/{name}") as answer:
                assert answer.status == expected
        mounted(tmp_path / "m" / "disk")

        async def back() -> bool:
            async with http.get(f"{mine.url}/readyz") as answer:
                return answer.status == 200

        async with asyncio.timeout(300):
            while not await back():
                await asyncio.sleep(0.1)
    assert mine.stop() == 0
    assert node.stop() == 0
