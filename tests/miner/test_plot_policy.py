"""How many plots a disk shall have: decisions, without a disk."""

import pytest
import typer
from cybervein_miner.cli.mine import mine
from cybervein_miner.node import running
from cybervein_miner.plot.policy import (
    DiskRoom,
    Wish,
    plots_to_give_way,
    plots_wanted,
    why_no_plot,
)
from cybervein_protocol.names import MIB
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner


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
