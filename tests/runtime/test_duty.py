"""Duties: kept running, stopped together, their parts of the status in the order of the list."""

import asyncio

from cybervein_runtime.duty import Duties, Duty, Figure


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


async def _wait() -> None:
    await asyncio.Event().wait()


async def test_a_duty_that_fails_is_started_again_and_stops_nobody_else() -> None:
    runs: list[int] = []
    third = asyncio.Event()

    async def fails() -> None:
        runs.append(len(runs))
        if len(runs) == 3:
            third.set()
            await _wait()
        raise RuntimeError("an error of ours")

    duties = Duties([Duty("fails", fails), Duty("waits", _wait)], _at_once)
    duties.start()
    await asyncio.wait_for(third.wait(), 60)
    assert duties.ended == []
    await duties.stop()
    assert runs == [0, 1, 2]
    assert duties.ended == ["fails", "waits"]


def test_the_status_follows_from_the_list() -> None:
    first, second = Figure("waiting", "What waits.", 1), Figure("failing", "1 while it fails.", 0)
    duties = Duties(
        [
            Duty("a", _wait, lambda: [first]),
            Duty("b", _wait),
            Duty("c", _wait, lambda: [second]),
        ]
    )
    assert duties.figures() == [first, second]
