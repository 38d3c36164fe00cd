"""What `up` shows: a table on a terminal, a line for each epoch elsewhere, JSON for programs."""

import io
import json
from dataclasses import replace

import pytest
from cybervein_up.run import ready
from cybervein_up.snapshot import MinerState, Snapshot
from cybervein_up.view import JsonView, LineView, LiveView, view_for
from rich.console import Console

SUPPLY = {"genesis": 10, "minted": 5, "held": 9, "escrowed": 3, "bonded": 2, "burnt": 1}


def miner(name: str, *, running: bool = True, rewards: int = 0) -> MinerState:
    return MinerState(
        name=name,
        address=f"cv{name}",
        url="http://127.0.0.1:1",
        metrics_url="http://127.0.0.1:2/metrics",
        running=running,
        plots=2,
        plots_active=1,
        shards=3,
        rewards=rewards,
        audits={"passed": 4, "timeout": 1},
    )


def snapshot(epoch: int, supply: dict[str, int] | None = None) -> Snapshot:
    miners = (miner("miner-1", rewards=1_500_000_000), miner("miner-2", running=False))
    return Snapshot(epoch, 7, 40, "ab", supply or SUPPLY, miners)


def test_the_network_is_ready_once_the_super_node_sees_every_running_miner_with_its_plots() -> None:
    here, gone = replace(miner("miner-1"), registered=True), miner("miner-2", running=False)
    seen = Snapshot(1, 7, 40, "ab", SUPPLY, (replace(here, online=True), gone))
    assert ready(seen, plots=2)
    assert not ready(seen, plots=3)
    assert not ready(replace(seen, miners=(here, gone)), plots=2)


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=140)


def written(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def test_the_supply_holds_only_if_both_sides_are_equal() -> None:
    assert snapshot(1).supply_holds
    assert not snapshot(1, {**SUPPLY, "burnt": 2}).supply_holds


def test_without_a_terminal_each_epoch_is_one_line() -> None:
    out = console(terminal=False)
    view = LineView(out)
    for epoch in (3, 3, 3, 4):
        view.show(snapshot(epoch))
    lines = written(out).splitlines()
    assert len(lines) == 2
    assert "epoch 3 (7 s left)  height 40  miners 1/2  plots 1 of 2 proven" in lines[0]
    assert "epoch 4" in lines[1]


def test_a_supply_that_does_not_add_up_is_shouted() -> None:
    out = console(terminal=False)
    LineView(out).show(snapshot(1, {**SUPPLY, "burnt": 2}))
    assert "SUPPLY DOES NOT ADD UP" in written(out)


def test_on_a_terminal_every_miner_has_a_row_and_a_dead_one_is_marked() -> None:
    out = console(terminal=True)
    view = LiveView(out)
    view.show(snapshot(3))
    view.close()
    text = written(out)
    assert "miner-2 (down)" in text
    assert "1.500" in text, "rewards in coins"
    assert "4 ok, 1 not" in text


def test_the_place_decides_on_the_view() -> None:
    assert isinstance(view_for(as_json=True, console=console(terminal=True)), JsonView)
    plain = view_for(as_json=False, console=console(terminal=False))
    assert type(plain) is LineView
    live = view_for(as_json=False, console=console(terminal=True))
    assert isinstance(live, LiveView)
    live.close()


def test_programs_get_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    view = JsonView()
    view.say("ready after 1.0 s")
    view.show(snapshot(3))
    note, status = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert note == {"event": "note", "text": "ready after 1.0 s"}
    assert status["epoch"] == 3
    assert status["supply_holds"] is True
    assert status["audits"] == {"passed": 8, "wrong": 0, "timeout": 2, "verifier": 0}
