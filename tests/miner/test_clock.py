"""A wall clock that is wrong is told as what it is: how far, and what it does."""

import asyncio
import time
from pathlib import Path

import pytest
from cybervein_miner.chain.clock import NetworkClock
from cybervein_protocol.errors import ExpiredError
from cybervein_protocol.http_signature import clock_gap
from cybervein_runtime.http_client import SignedClient
from miner_world import World, serving, settings_of
from structlog.testing import capture_logs


def test_a_gap_in_words() -> None:
    assert clock_gap(86_400) == "24.0 hours ahead of"
    assert clock_gap(-5400) == "1.5 hours behind"
    assert clock_gap(90.2) == "90 seconds ahead of"


def test_what_is_said_of_a_clock_depends_on_the_network_alone() -> None:
    wall = 1000.0
    clock = NetworkClock(monotonic=lambda: 5.0, wall=lambda: wall)
    assert clock.problem() == "", "nobody knows yet"
    clock.observe(1000.0, 5.0, 5.0)
    assert clock.problem() == ""
    wall += 86_400
    with capture_logs() as logs:
        clock.tell()
        clock.tell()
        wall -= 86_400
        clock.tell()
        clock.tell()
    assert [each["event"] for each in logs] == [
        "the clock of this machine is wrong",
        "the clock of this machine is right again",
    ]
    assert logs[0]["problem"].startswith(
        "this machine's clock is 24.0 hours ahead of the network's"
    )


async def test_a_command_on_a_machine_a_day_ahead_hears_it_and_the_status_says_it(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as miner:
        clock = miner.node.basis.clock
        clock.observe(time.time(), clock.monotonic(), clock.monotonic())
        clock._wall = lambda: time.time() + 86_400
        owner = SignedClient(miner.node.basis.identity.keys, miner.http, clock=clock._wall)
        with pytest.raises(ExpiredError, match=r"clock is 24\.0 hours ahead of this server's"):
            await owner.request("GET", f"{miner.url}/v1/disks")
        status = await asyncio.to_thread(miner.node.board.document)
        assert any("24.0 hours ahead of the network's" in line for line in status.degraded)
        assert "24.0 hours ahead of the network's" in status.problem, "and it is the next step"
