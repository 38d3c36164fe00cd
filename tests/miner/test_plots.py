"""Plots: made as specified, proved from the file, found damaged by proving."""

from pathlib import Path

import pytest
from cybervein_miner.disk.outboards import Outboards
from cybervein_miner.plot.batches import Batch
from cybervein_miner.plot.doubts import PlotDoubts
from cybervein_miner.plot.inventory import PlotState, metadata_path
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.commits import CommitProver
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import outboard_path
from cybervein_protocol.encoding import cid_root, node_cid
from cybervein_protocol.ledger.mining.bodies import PlotEntry
from cybervein_protocol.messages import verify_commit_response
from cybervein_protocol.presets import TEST
from cybervein_protocol.space import (
    decode_commit_proof,
    decode_metadata,
    draw_commit_challenges,
    make_plot,
    plot_seed,
    verify_commit,
)
from cybervein_protocol.tree import root_and_outboard
from miner_world import Mount
from plot_farm import BEACON, NETWORK, SHAPE, Farm, file_of, proven


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


def settle(farm: Farm) -> Tally:
    """Read what proofs had to doubt; what was counted."""
    tally = Tally()
    doubts = PlotDoubts(farm.inventory, Outboards(tally))
    while farm.inventory.doubted:
        doubts.settle()
    return tally


async def test_flipped_and_swapped_plots_are_found_by_proving(farm: Farm, tmp_path: Path) -> None:
    first, second = file_of(farm, 0), file_of(farm, 1)
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    third = file_of(farm, 2)
    third.write_bytes(bytes(byte ^ 1 for byte in third.read_bytes()))
    assert proven(farm) == set()
    assert farm.inventory.rows(PlotState.BAD) == []
    assert settle(farm).outboards_mended == 0
    assert len(farm.inventory.rows(PlotState.BAD)) == 3


@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing"])
async def test_a_damaged_outboard_costs_one_answer_and_is_made_again(
    farm: Farm, damage: str
) -> None:
    beside = outboard_path(file_of(farm, 1))
    whole = beside.read_bytes()
    beside.unlink()
    if damage != "missing":
        beside.write_bytes(bytes(len(whole)) if damage == "flipped" else whole[:-1])
    assert len(proven(farm)) == 2
    assert settle(farm).outboards_mended == 1
    assert beside.read_bytes() == whole
    assert len(proven(farm)) == 3


async def test_a_plot_that_is_doubted_waits_for_its_disk(farm: Farm) -> None:
    [disk], doubts = farm.rack.disks, PlotDoubts(farm.inventory, Outboards(Tally()))
    farm.inventory.doubted.add(1)
    disk.quarantine("a test")
    doubts.settle()
    assert farm.inventory.doubted == {1}
    disk.check()
    doubts.settle()
    assert farm.inventory.doubted == set()
    assert farm.inventory.rows(PlotState.BAD) == []


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
