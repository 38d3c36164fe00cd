"""Plots: made whole or not at all, proved from the file, found damaged, given up for shards."""

import asyncio
import shutil
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from cybervein_miner.cli.mine import mine
from cybervein_miner.disk.disk import Disk
from cybervein_miner.node import running
from cybervein_miner.plot import plotter as plotter_module
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.batches import Batch, Batches
from cybervein_miner.plot.inventory import PlotState, footprint, metadata_path, plot_path
from cybervein_miner.plot.making import StoppedError, make_plot_file, partial_path
from cybervein_miner.plot.policy import (
    DiskRoom,
    Wish,
    plots_to_give_way,
    plots_wanted,
    why_no_plot,
)
from cybervein_miner.prover.commits import CommitProver
from cybervein_miner.prover.space import Challenge
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import outboard_path
from cybervein_protocol import vrf
from cybervein_protocol.api.miner.disks import DiskBody
from cybervein_protocol.encoding import cid_root, node_cid
from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.mining.bodies import PlotEntry
from cybervein_protocol.messages import verify_commit_response, verify_space_proof
from cybervein_protocol.names import MIB
from cybervein_protocol.presets import TEST
from cybervein_protocol.space import (
    decode_answer,
    decode_commit_proof,
    decode_metadata,
    draw_commit_challenges,
    make_plot,
    plot_seed,
    verify_commit,
    verify_space_answer,
)
from cybervein_protocol.tree import root_and_outboard
from hypothesis import given
from hypothesis import strategies as st
from miner_world import World, serving, settings_of, shard_bytes
from plot_farm import NETWORK, SHAPE, Farm
from structlog.testing import capture_logs
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("by_hand")

BEACON = b"\x42" * 32
Mount = Callable[..., Path]


@pytest.fixture
async def farm(tmp_path: Path) -> Farm:
    (tmp_path / "d").mkdir()
    farm = Farm(tmp_path, tmp_path / "d")
    await farm.fill()
    farm.activate()
    return farm


def file_of(farm: Farm, number: int) -> Path:
    [row] = [row for row in farm.inventory.rows() if row.number == number]
    return farm.inventory.path(row)[1]


def asked(epoch: int = 5) -> Challenge:
    return Challenge(epoch, BEACON, TEST.answers_max)


def proven(farm: Farm) -> set[bytes]:
    """Plot ids whose answers verify, as a super node checks them."""
    proof = farm.prover.prove(asked())
    if proof is None:
        return set()
    verify_space_proof(proof)
    vrf.verify(vrf.public_key(farm.identity.vrf_seed), BEACON, proof.vrf_proof)
    gammas = {row.plot_id: row.gamma for row in farm.inventory.rows()}
    answers = [decode_answer(data) for data in proof.answers]
    for answer in answers:
        verify_space_answer(BEACON, answer.plot_id, gammas[answer.plot_id], SHAPE.b, answer)
    assert [a.x for a in answers] == sorted(a.x for a in answers)
    return {answer.plot_id for answer in answers}


async def test_plot_files_are_the_specifications_bytes(farm: Farm) -> None:
    assert len(farm.inventory.rows()) == 3
    row = farm.inventory.rows()[0]
    path = file_of(farm, row.number)
    plain = make_plot(plot_seed(farm.identity.keys.public, row.number, SHAPE.b, SHAPE.k), SHAPE)
    assert path.read_bytes() == plain.rows
    root, outboard = root_and_outboard(plain.rows)
    assert (row.gamma, row.kappa) == (root, plain.kappa)
    assert outboard_path(path).read_bytes() == outboard
    assert decode_metadata(metadata_path(path).read_bytes()).gamma == root


async def test_every_active_plot_is_proved(farm: Farm) -> None:
    assert proven(farm) == {row.plot_id for row in farm.inventory.rows()}


async def test_a_plot_counts_only_from_its_epoch_on(farm: Farm) -> None:
    rows = farm.inventory.rows()
    farm.inventory.set_state(rows[:1], PlotState.ACTIVE, b"\x09" * 32, since_epoch=6)
    assert len(proven(farm)) == 2
    assert len(farm.prover.counting(6)) == 3


async def test_only_the_smallest_qualities_are_sent(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    many = Farm(tmp_path, tmp_path / "d", wish=Wish(plots=TEST.answers_max + 4))
    await many.fill()
    many.activate()
    assert len(proven(many)) == TEST.answers_max


async def test_plots_survive_a_restart_byte_for_byte(farm: Farm, tmp_path: Path) -> None:
    before = {row.number: file_of(farm, row.number).read_bytes() for row in farm.inventory.rows()}
    again = farm.again(tmp_path)
    assert {
        r.number: file_of(again, r.number).read_bytes() for r in again.inventory.rows()
    } == before
    assert again.problems == []
    assert len(proven(again)) == 3


async def test_an_interrupted_plot_leaves_nothing_and_its_number_is_not_used_again(
    farm: Farm, tmp_path: Path
) -> None:
    disk = farm.rack.disks[0]
    number = farm.inventory.next_number()
    path = plot_path(disk, number)

    def stop(_done: int, _total: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        make_plot_file(path, farm.identity.keys, number, SHAPE, stop)
    assert not list(path.parent.glob(f"{path.name}*"))
    (path.parent / f"{path.name}.partial").write_bytes(bytes(1000))
    path.write_bytes(bytes(SHAPE.plot_bytes))  # renamed, but killed before its metadata
    again = farm.again(tmp_path)
    assert not list(path.parent.glob(f"{path.name}*"))
    assert len(again.inventory.rows()) == 3
    assert again.inventory.next_number() > number


async def test_a_lost_note_is_written_again(farm: Farm, tmp_path: Path) -> None:
    note = metadata_path(file_of(farm, 0))
    whole = note.read_bytes()
    note.unlink()
    again = farm.again(tmp_path)
    assert note.read_bytes() == whole
    assert len(proven(again)) == 3


async def test_a_journal_that_was_lost_is_rebuilt_from_the_disk(farm: Farm, tmp_path: Path) -> None:
    farm.journal.close()
    fresh = Farm(tmp_path / "fresh", tmp_path / "d", identity=farm.identity)
    assert [row.number for row in fresh.inventory.rows(PlotState.MADE)] == [0, 1, 2]
    assert fresh.inventory.next_number() == 3


@pytest.mark.parametrize("damage", ["truncated", "longer", "gone", "another's note"])
async def test_a_damaged_plot_is_found_at_the_start(
    farm: Farm, tmp_path: Path, damage: str
) -> None:
    path = file_of(farm, 1)
    if damage == "gone":
        path.unlink()
    elif damage == "another's note":
        shutil.copy(metadata_path(file_of(farm, 2)), metadata_path(path))
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-512] if damage == "truncated" else data + bytes(512))
    again = farm.again(tmp_path)
    assert len(again.problems) == 1
    assert [row.number for row in again.inventory.rows(PlotState.BAD)] == [1]
    assert len(proven(again)) == 2


async def test_flipped_and_swapped_plots_are_found_by_proving(farm: Farm, tmp_path: Path) -> None:
    first, second = file_of(farm, 0), file_of(farm, 1)
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    third = file_of(farm, 2)
    third.write_bytes(bytes(byte ^ 1 for byte in third.read_bytes()))
    assert proven(farm) == set()
    assert len(farm.inventory.rows(PlotState.BAD)) == 3


async def test_a_damaged_outboard_drops_one_plot_not_the_proof(farm: Farm) -> None:
    outboard_path(file_of(farm, 1)).write_bytes(b"short")
    assert len(proven(farm)) >= 2


async def test_plots_of_a_disk_that_is_away_wait_for_it(tmp_path: Path, mount: Mount) -> None:
    first, second = mount("8m", "first"), mount("8m", "second")
    farm = Farm(tmp_path, first, second, wish=Wish(plots=4))
    await farm.fill()
    farm.activate()
    assert len(proven(farm)) == 4
    here = sum(row.disk == farm.rack.disks[0].id for row in farm.inventory.rows())
    farm.rack.disks[1].quarantine("a test")
    assert len(proven(farm)) == here
    farm.rack.disks[1].check()
    assert len(proven(farm)) == 4, "no plot was taken for bad"


@pytest.mark.parametrize("state", [PlotState.MADE, PlotState.VOID])
async def test_a_verdict_after_its_disk_was_forgotten_leaves_no_plot_behind(
    farm: Farm, state: PlotState
) -> None:
    rows = farm.inventory.rows()
    farm.inventory.set_state(rows, state, None)
    nobody: Any = None  # no unit rests on them: nothing is said to the ledger
    batches = Batches(farm.inventory, nobody, nobody, TEST)
    assert await batches.retire() == 0
    [disk] = farm.rack.disks
    farm.rack.forget(disk)
    assert await batches.retire() == len(rows)
    assert farm.inventory.rows() == []
    assert plot_path(disk, rows[0].number).exists(), "its files stay"


async def test_a_disk_without_room_gets_no_plot(tmp_path: Path, mount: Mount) -> None:
    small = mount("1m")
    farm = Farm(tmp_path, small, wish=Wish(plots=5))
    await farm.fill()
    assert len(farm.inventory.rows()) <= 1
    assert farm.tally.plots_failed == 0


async def test_plots_fill_a_disk_to_the_share_that_was_asked(tmp_path: Path, mount: Mount) -> None:
    disk = mount("10m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    assert len(farm.inventory.rows()) == 5 * 1024 * 1024 // footprint(SHAPE)


def test_a_number_and_a_share_of_plots_hold_together() -> None:
    empty = DiskRoom("a", 1000, 1000, 0, placeable=True)
    for wish, expected in (
        (Wish(), 8),
        (Wish(plots=3), 3),
        (Wish(plots=100), 9),
        (Wish(fill_per_mille=500), 5),
        (Wish(fill_per_mille=500, plots=3), 3),
        (Wish(fill_per_mille=500, plots=100), 5),
    ):
        assert plots_wanted([empty], wish, 100) == {"a": expected}


@pytest.mark.parametrize(
    ("options", "wish"),
    [
        ((), Wish(None, None)),
        (("--plots", "3"), Wish(None, 3)),
        (("--fill", "0.29"), Wish(290, None)),
        (("--plots", "3", "--fill", "0.5"), Wish(500, 3)),
    ],
)
def test_the_command_takes_a_number_a_share_or_both(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], wish: Wish
) -> None:
    given: list[Wish] = []
    monkeypatch.setattr(
        running, "run_miner", lambda settings, *_, **__: given.append(settings.wish)
    )
    app = typer.Typer()
    app.command()(mine)
    line = ["--network", "n", "--data", "d", "--disk", "a", *options]
    assert CliRunner().invoke(app, line).exit_code == 0
    assert given == [wish]


@pytest.mark.parametrize(
    ("room", "wish", "words"),
    [
        (DiskRoom("a", 50 * MIB, 40 * MIB, 0, placeable=True), Wish(), "too small for a plot"),
        (DiskRoom("a", 900 * MIB, 40 * MIB, 0, placeable=True), Wish(), "no room for a plot"),
        (DiskRoom("a", 900 * MIB, 800 * MIB, 0, placeable=True), Wish(), ""),
        (DiskRoom("a", 900 * MIB, 0, 5, placeable=True), Wish(), ""),
        (DiskRoom("a", 900 * MIB, 800 * MIB, 0, placeable=True), Wish(50, 9), "too small"),
        (DiskRoom("a", 50 * MIB, 40 * MIB, 0, placeable=True), Wish(plots=0), ""),
        (DiskRoom("a", 50 * MIB, 40 * MIB, 0, placeable=False), Wish(), ""),
        (DiskRoom("a", 200 * MIB, 90 * MIB, 0, placeable=True, floor=99 * MIB), Wish(), "too"),
    ],
)
def test_a_disk_that_gets_no_plot_says_why(room: DiskRoom, wish: Wish, words: str) -> None:
    why = why_no_plot(room, wish, 100 * MIB)
    assert why.startswith(words)
    assert bool(why) == bool(words)
    assert not why or "a plot takes 100.0 MiB" in why


async def test_a_disk_too_small_for_one_plot_is_listed_with_the_reason(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    small = mount("400k")
    with capture_logs() as logs:
        async with serving(world, settings_of(world, tmp_path, small, wish=Wish())) as miner:
            [listed] = miner.node.board.document().disks
    assert (listed.state, listed.placeable) == ("ready", True)
    assert listed.reason.startswith("too small for a plot")
    assert [e["reason"] for e in logs if e["event"] == "no plot is made on a disk"] == [
        listed.reason
    ]


async def test_plots_give_way_to_shards_only_where_there_are_some(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    disk = mount("20m")
    settings = settings_of(world, tmp_path, disk, wish=Wish(fill_per_mille=500))
    async with serving(world, settings) as miner:
        plotter, upkeep = miner.node.plotter, miner.node.upkeep
        while not plotter.idle():
            await asyncio.sleep(0.01)
        free = miner.node.basis.rack.disks[0].available()
        (disk / "films").write_bytes(bytes(free - 1000))
        with capture_logs() as logs:
            await upkeep._round(ask=False)
        assert gave_way(logs) == ["plots give way: the disk fills up, though it holds no shard"]
        (disk / "films").unlink()
        assert (await miner.put(shard_bytes(100_000)))[0] == 201
        miner.node.basis.inventory.drop(miner.node.basis.inventory.rows(PlotState.RETIRING))
        plotter.stop()
        free = miner.node.basis.rack.disks[0].available()
        (disk / "films").write_bytes(bytes(free - 1000))
        with capture_logs() as logs:
            await upkeep._round(ask=False)
        assert gave_way(logs) == ["plots give way to shards"]


def gave_way(logs: Sequence[MutableMapping[str, Any]]) -> list[str]:
    """What was said of it; other duties of the miner speak, too."""
    return [each["event"] for each in logs if each["event"].startswith("plots give way")]


async def test_plots_give_way_when_the_disk_fills_up(tmp_path: Path, mount: Mount) -> None:
    disk = mount("20m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    farm.activate()
    assert farm.plotter.give_way() == []
    (disk / "films").write_bytes(bytes(farm.rack.disks[0].available() - 1000))
    leaving = farm.plotter.give_way()
    assert [row.number for row in leaving] == [max(r.number for r in farm.inventory.rows())]
    assert farm.plotter.idle(), "and no new plot takes the space"


async def test_a_commit_audit_is_answered_by_replay_alone(farm: Farm) -> None:
    key = farm.identity.keys
    plots = tuple(
        PlotEntry(index=row.number, kappa=row.kappa, gamma=row.gamma)
        for row in farm.inventory.rows()
    )
    for row in farm.inventory.rows():
        file_of(farm, row.number).unlink()
    batch = Batch(node_cid(b"\xa1\x61a\x01"), plots)
    prover = CommitProver(
        network=NETWORK,
        key=key,
        preset=TEST,
        batches=None,  # type: ignore[arg-type]
        super_node=None,  # type: ignore[arg-type]
        tally=Tally(),
    )
    response = prover.respond(batch, 7, BEACON)
    verify_commit_response(response)
    ids = [row.plot_id for row in farm.inventory.rows()]
    drawn = draw_commit_challenges(
        BEACON,
        cid_root(batch.id),
        ids,
        max_plots=TEST.commit_plots_drawn,
        q=TEST.commit_rows_drawn,
        n=SHAPE.rows,
    )
    assert len(drawn) == 3
    from cybervein_protocol.space import PlotClaim  # noqa: PLC0415

    for (position, rows), data in zip(drawn, response.proofs, strict=True):
        entry = plots[position]
        claim = PlotClaim(
            index=entry.index, b=SHAPE.b, k=SHAPE.k, kappa=entry.kappa, gamma=entry.gamma
        )
        proof = decode_commit_proof(data, SHAPE, TEST.commit_rows_drawn)
        verify_commit(key.public, claim, rows, proof)


rooms = st.lists(
    st.builds(
        DiskRoom,
        id=st.uuids().map(str),
        capacity=st.integers(0, 1 << 44),
        available=st.integers(0, 1 << 43),
        plots=st.integers(0, 2000),
        placeable=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda room: room.id,
)


@given(rooms, st.integers(0, 300), st.sampled_from([1 << 19, 1 << 25, 1 << 31]))
def test_no_policy_takes_the_headroom_or_an_unusable_disk(
    disks: list[DiskRoom], plots: int, size: int
) -> None:
    for wish in (Wish(plots=plots), Wish(fill_per_mille=plots)):
        for disk in disks:
            wanted = plots_wanted(disks, wish, size)[disk.id]
            more = wanted - disk.plots
            assert more >= 0
            assert more * size <= max(0, disk.available - disk.headroom)
            assert disk.placeable or more == 0
    total = sum(plots_wanted(disks, Wish(plots=plots), size).values())
    assert total <= max(plots, sum(disk.plots for disk in disks))


@given(rooms, st.sampled_from([1 << 19, 1 << 31]))
def test_giving_way_restores_the_headroom_with_as_few_plots_as_can_be(
    disks: list[DiskRoom], size: int
) -> None:
    for disk in disks:
        going = plots_to_give_way(disk, size)
        assert 0 <= going <= disk.plots
        if going and going < disk.plots:
            assert disk.available + going * size >= disk.headroom
            assert disk.available + (going - 1) * size < disk.headroom
        if disk.available >= disk.headroom:
            assert going == 0


async def test_no_more_plots_give_way_while_the_first_wait_for_the_ledger(
    tmp_path: Path, mount: Mount
) -> None:
    disk = mount("20m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    farm.activate()
    (disk / "films").write_bytes(bytes(farm.rack.disks[0].available() - 1000))
    assert [len(farm.plotter.give_way()) for _ in range(5)] == [1, 0, 0, 0, 0]


async def test_no_plot_gives_way_for_inodes(tmp_path: Path, mount: Mount) -> None:
    disk = mount("20m,nr_inodes=64")
    farm = Farm(tmp_path, disk, wish=Wish(plots=2))
    await farm.fill()
    farm.activate()
    count = 0
    with suppress(OSError):
        for count in range(64):
            (disk / f"mail-{count}").touch()
    assert 0 < count < 63
    assert farm.rack.disks[0].available() == 0
    assert farm.plotter.give_way() == []


async def test_plots_that_could_not_be_seen_are_not_gone(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [disk] = farm.rack.disks
    broken, listed = disk.folder("plots"), Path.iterdir

    def iterdir(place: Path) -> object:
        if place == broken:
            raise OSError(5, "Input/output error")
        return listed(place)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    take_in(farm.inventory, farm.identity.keys, farm.rack.disks)
    assert farm.inventory.rows(PlotState.BAD) == []


async def test_a_plot_in_the_making_outlives_its_disk_being_added_again(farm: Farm) -> None:
    [disk] = farm.rack.disks
    files = [partial_path(plot_path(disk, 7)), plot_path(disk, 8), plot_path(disk, 9)]
    for file in files:
        file.write_bytes(b"not whole yet")
    take_in(farm.inventory, farm.identity.keys, farm.rack.disks, making={7: 0, 8: 0})
    assert [file.exists() for file in files] == [True, True, False]


async def test_a_disk_on_which_plots_failed_gets_some_once_it_is_added_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise StorageError("a cable was loose")

    (tmp_path / "d").mkdir()
    monkeypatch.setattr(plotter_module, "make_plot_file", fail)
    settings = settings_of(world, tmp_path, tmp_path / "d", wish=Wish(plots=1))
    async with serving(world, settings) as miner:
        while not miner.node.plotter.idle():
            await asyncio.sleep(0.01)
        monkeypatch.setattr(plotter_module, "make_plot_file", make_plot_file)
        assert miner.node.basis.inventory.rows() == []
        async with miner.owner() as owner:
            body = msgspec.json.encode(DiskBody(str(tmp_path / "d")))
            url, kind = f"{miner.url}/v1/disks", "application/json"
            await owner.request("POST", url, body=body, content_type=kind)
        miner.node.plotter.changed.set()
        while not miner.node.basis.inventory.rows():
            await asyncio.sleep(0.01)


async def test_a_disk_that_came_back_and_cannot_be_taken_in_is_no_secret(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "d"
    disk.mkdir()
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        disk.rename(tmp_path / "pulled")
        miner.node.upkeep.look()
        (tmp_path / "pulled").rename(disk)

        def refuse(_disks: list[Disk]) -> None:
            raise StorageError("the journal is full")

        miner.node.upkeep.take_in = refuse
        with pytest.raises(StorageError, match="journal is full"):
            miner.node.upkeep.look()
