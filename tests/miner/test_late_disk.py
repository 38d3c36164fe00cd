"""One disk that answers late: the others prove, serve and stop without it, and it is named."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event

import pytest
from blake3 import blake3
from cybervein_miner.api import audits, shards
from cybervein_miner.disk import calls, threads
from cybervein_miner.disk.calls import Calls
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import PlotState, plot_path
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.deadline import reading_seconds
from cybervein_miner.prover.space import Challenge
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.layout import shard_path
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, StorageError
from cybervein_protocol.messages import AuditRequest, decode_audit_answer
from cybervein_protocol.messages.audits import AuditItem
from cybervein_protocol.presets import TEST
from cybervein_protocol.space import decode_answer
from cybervein_runtime.http_client import SignedClient
from documents import made
from miner_world import World, serving, settings_of, shard_bytes
from plot_farm import Farm
from services import Service, miner
from structlog.testing import capture_logs
from waiting import until

BEACON = b"\x42" * 32
LATE = "disk answers late; the others continue without it"
BACK = "disk answers in time again"
HUNG_SECONDS = 5.0
"""For a proof with a disk that hangs: the others are read long before it is given up."""


class Hanging:
    """A file that keeps whoever opens it waiting, as a dying disk does: a FIFO nobody writes to."""

    def __init__(self, path: Path) -> None:
        self.path, self.kept = path, path.with_name(path.name + ".kept")
        path.rename(self.kept)
        os.mkfifo(path)

    def let_go(self) -> None:
        """Whoever waits goes on, and the file is what it was."""
        handle = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.kept.replace(self.path)
        os.close(handle)


@pytest.fixture
def hang() -> Iterator[type[Hanging]]:
    yielded: list[Hanging] = []

    class Remembered(Hanging):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            yielded.append(self)

    yield Remembered
    for each in yielded:
        if each.kept.exists():
            each.let_go()


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    """Two disks with two plots each."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    farm = Farm(tmp_path, tmp_path / "a", tmp_path / "b", wish=Wish(plots=2))
    first, second = farm.rack.disks
    second.leaving = True
    await farm.fill()
    first.leaving, second.leaving, farm.plotter = True, False, farm.more(2)
    await farm.fill()
    first.leaving = False
    farm.activate()
    assert {len(plots_on(farm, disk)) for disk in farm.rack.disks} == {2}
    yield farm
    farm.journal.close()


def plots_on(farm: Farm, disk: Disk) -> set[bytes]:
    return {row.plot_id for row in farm.inventory.rows() if row.disk == disk.id}


def first_file(farm: Farm, disk: Disk) -> Path:
    return plot_path(disk, min(r.number for r in farm.inventory.rows() if r.disk == disk.id))


def proven(farm: Farm, epoch: int, seconds: float = 600.0) -> set[bytes]:
    """Plot ids that were proved; with a disk that hangs in most of that time, else at once."""
    proof = farm.prover.prove(Challenge(epoch, BEACON, TEST.answers_max, seconds))
    return {decode_answer(data).plot_id for data in proof.answers} if proof else set()


async def test_a_proof_goes_in_time_without_the_disk_that_hangs(
    farm: Farm, hang: type[Hanging]
) -> None:
    good, bad = farm.rack.disks
    stuck = hang(first_file(farm, bad))
    with capture_logs() as logs:
        plots = await asyncio.to_thread(proven, farm, 5, HUNG_SECONDS)
        assert plots == plots_on(farm, good)
        assert bad.lateness == "2 of 2 plots were not read in time for the proof of epoch 5"
        assert good.lateness == ""
        lane = farm.prover._lanes._busy[bad.id]
        plots = await asyncio.to_thread(proven, farm, 6)
        assert plots == plots_on(farm, good)
        assert farm.prover._lanes._busy[bad.id] is lane, "while it hangs it is asked nothing more"
        stuck.let_go()
        await until_idle(farm, bad)
        plots = await asyncio.to_thread(proven, farm, 7)
    assert plots == plots_on(farm, good) | plots_on(farm, bad)
    assert bad.lateness == ""
    events = [(e["event"], e["path"]) for e in logs if e["event"] in {LATE, BACK}]
    assert events == [(LATE, str(bad.path)), (BACK, str(bad.path))], "once for each change"
    assert len(farm.inventory.rows(PlotState.ACTIVE)) == 4, "a plot read late is not a bad plot"


async def until_idle(farm: Farm, disk: Disk) -> None:
    async with asyncio.timeout(60):
        while farm.prover._lanes.busy(disk.id):
            await asyncio.sleep(0.005)


async def test_a_disk_that_hangs_between_row_and_slice_costs_its_own_plots_alone(
    farm: Farm, hang: type[Hanging]
) -> None:
    good, bad = farm.rack.disks
    for row in farm.inventory.rows():
        if row.disk == bad.id:
            hang(outboard_path(plot_path(bad, row.number)))
    plots = await asyncio.to_thread(proven, farm, 5, HUNG_SECONDS)
    assert plots == plots_on(farm, good)


async def test_when_a_disk_hangs_the_next_best_plots_take_the_place_of_its_answers(
    farm: Farm, hang: type[Hanging]
) -> None:
    best = farm.prover.prove(Challenge(5, BEACON, 1))
    [row] = [
        r for r in farm.inventory.rows() if r.plot_id == decode_answer(best.answers[0]).plot_id
    ]
    hang(outboard_path(farm.inventory.path(row)[1]))
    proof = await asyncio.to_thread(farm.prover.prove, Challenge(5, BEACON, 1, HUNG_SECONDS))
    assert len(proof.answers) == 1
    assert decode_answer(proof.answers[0]).plot_id != row.plot_id


@pytest.mark.parametrize(("heard_after", "seconds"), [(0.0, 1.6), (0.5, 1.2), (3.5, 1.0)])
def test_disks_are_waited_for_until_shortly_before_the_deadline(
    heard_after: float, seconds: float
) -> None:
    """An epoch of 4 s takes proofs for 2 s."""
    view = made(NetworkDocument, now=100.0 + heard_after, epoch_ends=104.0)
    assert reading_seconds(TEST, view, 0.0) == pytest.approx(seconds)


def test_a_disk_is_asked_nothing_while_a_call_is_overdue(tmp_path: Path) -> None:
    now = [0.0]
    disk = _disk(tmp_path, Calls(lambda: now[0]))
    with disk.guard("read shard ab"):
        now[0] = calls.ANSWER_SECONDS
        assert disk.readable
        now[0] += 7.0
        assert not disk.readable
        assert not disk.placeable
        assert disk.available() == 0
        assert disk.lateness == "it has not answered for 37 s: read shard ab"
        with pytest.raises(StorageError, match="not answered for 37 s"), disk.guard("read more"):
            pytest.fail("it was asked")
    assert disk.placeable
    assert disk.lateness == ""


def test_what_is_ours_to_take_time_is_not_the_disks_lateness(tmp_path: Path) -> None:
    now = [0.0]
    disk = _disk(tmp_path, Calls(lambda: now[0]))
    with disk.guard("make a plot", None), disk.guard("scrub") as call:
        call.rest()
        now[0] = 1000.0
        assert disk.lateness == ""
        call.beat()
        assert disk.lateness == ""
        now[0] += 31.0
        assert disk.lateness


def _disk(path: Path, counted: Calls) -> Disk:
    from cybervein_miner.disk.marker import create_marker  # noqa: PLC0415
    from cybervein_protocol.signing import KeyPair  # noqa: PLC0415

    key = KeyPair(b"\1" * 32)
    marker = create_marker(path, key, 1)
    disk = Disk(marker.disk.hex(), path, key.public, 0, calls=counted)
    disk.check()
    assert disk.placeable
    return disk


async def test_an_audit_is_declined_in_time_and_the_other_disk_is_audited(
    world: World, tmp_path: Path, hang: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "ANSWER_SECONDS_MAX", 0.3)
    folders = [tmp_path / name for name in ("a", "b")]
    async with serving(world, settings_of(world, tmp_path, *folders)) as running:
        bad, good = running.node.basis.rack.disks
        shards = {bad: shard_bytes(50_000, 1), good: shard_bytes(50_000, 2)}
        for disk, data in shards.items():
            with monkeypatch.context() as placing:
                placing.setattr(running.node.basis.rack, "choose", lambda _, disk=disk: disk)
                assert (await running.put(data))[0] == 201
        roots = {disk: blake3(data).digest() for disk, data in shards.items()}
        stuck = hang(shard_path(bad, roots[bad]))
        client = SignedClient(world.super_key, running.http)

        async def audit(*asked: bytes) -> object:
            items = [AuditItem(root=root, chunk=0) for root in asked]
            body = encode(AuditRequest(v=1, epoch=1, holding=bytes(32), items=items))
            answer = await client.request("POST", f"{running.url}/v1/audit", body=body)
            return decode_audit_answer(answer.body)

        with pytest.raises(CyberVeinError, match=r"answers too late; audit again later"):
            await audit(roots[good], roots[bad])
        monkeypatch.setattr(audits, "ANSWER_SECONDS_MAX", 300.0)
        assert (await audit(roots[good])).answers[0].slice is not None
        stuck.let_go()
        answer = await audit(roots[good], roots[bad])
        assert [each.root for each in answer.answers] == [roots[good], roots[bad]]
        assert running.node.basis.store.index.totals().lost == 0


async def test_more_hanging_reads_than_any_pool_has_threads_hold_nothing_up(
    world: World, tmp_path: Path, hang: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cybervein_miner.disk.threads.ANSWER_SECONDS", 30.0)
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        [disk] = running.node.basis.rack.disks
        data, other = shard_bytes(50_000, 1), shard_bytes(50_000, 2)
        for each in (data, other):
            assert (await running.put(each))[0] == 201
        root = blake3(data).digest()
        stuck = hang(shard_path(disk, root))
        reads = [asyncio.create_task(running.get(root, "?offset=0&length=1024")) for _ in range(40)]
        async with asyncio.timeout(60):
            while len(disk.calls._open) < 40:
                await asyncio.sleep(0.005)
        assert await running.get(blake3(other).digest()) == (200, other)
        assert (await running.put(shard_bytes(50_000, 3)))[0] == 201
        stuck.let_go()
        await asyncio.gather(*reads)


async def test_a_file_that_is_opened_when_nobody_waits_any_more_is_closed(
    world: World, tmp_path: Path, hang: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        [disk] = running.node.basis.rack.disks
        data = shard_bytes(50_000)
        assert (await running.put(data))[0] == 201
        root = blake3(data).digest()
        stuck, soon = hang(shard_path(disk, root)), threads.answer_in_time
        monkeypatch.setattr(shards, "answer_in_time", lambda work, doing: soon(work, doing, 1))
        once = world.order(running.key, "GET", root, max_bytes=len(data))
        assert (await running.get(root, order=once))[0] == 507
        assert disk.calls._open
        stuck.let_go()
        closed = "the read to come back, and its file to be closed"
        await asyncio.to_thread(until, lambda: not (disk.calls._open or opened(root)), closed)
        assert await running.get(root, order=once) == (200, data), "nothing was charged for it"


def opened(root: bytes) -> list[str]:
    """Files of this process that have the root in their name."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += [str(handle.readlink())]
    return [name for name in found if root.hex() in name]


def test_free_space_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cybervein_miner.disk.gauge.QUICK_SECONDS", 0.05)
    disk = _disk(tmp_path, Calls())
    before, answered, real, asked = disk.space(), Event(), os.statvfs, list[Path]()

    def hanging(path: Path) -> os.statvfs_result:
        asked.append(path)
        answered.wait(60)
        return real(path)

    monkeypatch.setattr(os, "statvfs", hanging)
    assert [disk.space() for _ in range(50)] == [before] * 50
    assert len(asked) <= 1, "while the first question is open no other is asked"
    answered.set()


def test_one_that_hangs_at_the_start_is_left_to_its_thread(
    farm: Farm, hang: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cybervein_miner.disk import rack as module  # noqa: PLC0415
    from cybervein_miner.disk.marker import marker_path  # noqa: PLC0415
    from cybervein_miner.disk.rack import Rack  # noqa: PLC0415

    monkeypatch.setattr(module, "LOOK_SECONDS_MAX", 0.2)
    good, bad = (disk.path for disk in farm.rack.disks)
    hang(marker_path(bad))
    rack = Rack(farm.identity.keys, farm.journal, floor=0)
    rack.open([])
    seen = {good: True, bad: False}
    until(lambda: {disk.path: disk.readable for disk in rack.disks} == seen, "the good one's look")
    assert rack.look() == [], "and it is not asked again meanwhile"


def test_a_miner_stops_in_time_with_a_disk_that_hangs(world: World, tmp_path: Path) -> None:
    worker: Service = miner(tmp_path / "m", world.file, "--plots", "0")
    data = shard_bytes(5000)
    root = blake3(data).hexdigest()
    shard = tmp_path / "m" / "disk" / "cybervein" / "shards" / root[:2] / root
    worker.start()
    shard.parent.mkdir()
    shard.write_bytes(data)
    worker.stop()
    worker.start()  # takes the shard in
    until(lambda: worker.status()["shards"] == 1, "the shard to be taken in")
    worker.stop()
    with closing(sqlite3.connect(tmp_path / "m" / "data" / "miner.sqlite")) as journal, journal:
        journal.execute("UPDATE shard SET scrubbed = 0")
    shard.unlink()
    os.mkfifo(shard)
    worker.start()
    try:
        until(lambda: _hangs(worker), "the scrubber to hang")
        assert worker.stop() == 0, "it is not waited for until the disk answers"
    finally:
        worker.kill()


def _hangs(worker: Service) -> bool:
    """Whether a thread waits for somebody to open the other end of a FIFO."""
    tasks = Path(f"/proc/{worker.pid}/task").iterdir()
    return any("wait_for_partner" in (task / "wchan").read_text() for task in tasks)


def test_no_thread_of_a_disk_is_waited_for_at_the_end() -> None:
    assert threads.DaemonThreads("x").submit(lambda: 1).result() == 1
