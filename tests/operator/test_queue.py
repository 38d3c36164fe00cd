"""The queue and the poller: one piece of work a key, bounded rates, no lost wishes."""

import asyncio
from collections import Counter
from collections.abc import Callable

from cybervein_operator.miners.poller import Poller
from cybervein_operator.workqueue import WorkQueue
from waiting import until_async


async def test_a_key_added_many_times_is_worked_on_once() -> None:
    seen: Counter[str] = Counter()

    async def work(key: str) -> float | None:
        seen[key] += 1
        return None

    queue = WorkQueue(work, raise_, workers=2)
    for _ in range(50):
        queue.add("a")
        queue.add("b")
    await run_until(queue, lambda: len(seen) == 2 and queue.depth == 0)
    assert seen == {"a": 1, "b": 1}


async def test_a_key_added_while_it_is_worked_on_is_worked_on_once_more() -> None:
    seen: list[str] = []
    entered, go = asyncio.Event(), asyncio.Event()

    async def work(key: str) -> float | None:
        seen.append(key)
        entered.set()
        await go.wait()
        return None

    queue = WorkQueue(work, raise_, workers=4)
    queue.add("a")
    task = asyncio.create_task(queue.run())
    await entered.wait()
    queue.add("a")
    queue.add("a")
    go.set()
    await until_true(lambda: len(seen) == 2)
    assert seen == ["a", "a"]
    task.cancel()


async def test_a_failing_key_comes_back_and_holds_up_nobody() -> None:
    tries: Counter[str] = Counter()

    async def work(key: str) -> float | None:
        tries[key] += 1
        if key == "bad" and tries[key] < 4:
            raise ValueError(key)
        return None

    errors: list[str] = []
    queue = WorkQueue(work, lambda key, _: errors.append(key), workers=1, backoff_seconds=0.001)
    queue.add("bad")
    for number in range(20):
        queue.add(f"good-{number}")
    await run_until(queue, lambda: tries["bad"] == 4 and len(tries) == 21)
    assert errors == ["bad"] * 3


async def test_an_urgent_key_does_not_wait_behind_the_crowd() -> None:
    seen: list[str] = []

    async def work(key: str) -> float | None:
        seen.append(key)
        return None

    queue = WorkQueue(work, raise_, workers=1, urgent=lambda key: key == "pool")
    for number in range(100):
        queue.add(f"miner-{number}")
    queue.add("pool")
    await run_until(queue, lambda: len(seen) == 101)
    assert seen[0] == "pool"


async def test_the_earlier_of_two_delays_counts() -> None:
    seen: list[str] = []

    async def work(key: str) -> float | None:
        seen.append(key)
        return None

    queue = WorkQueue(work, raise_, workers=1)
    queue.add("a", 60)
    queue.add("a", 0.01)
    queue.add("a", 60)
    await run_until(queue, lambda: seen == ["a"])


async def test_polls_are_bounded_by_the_rate_and_reach_everybody() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    began = asyncio.get_running_loop().time()

    async def poll(key: tuple[str, str]) -> bool:
        seen[key] += 1
        return False

    poller = Poller(poll, rate_per_second=200, period_seconds=0.01)
    for number in range(30):
        poller.watch(("x", f"m-{number}"), hot=False)
    task = asyncio.create_task(poller.run())
    await until_true(lambda: len(seen) == 30 and sum(seen.values()) >= 60)
    took = asyncio.get_running_loop().time() - began
    task.cancel()
    assert sum(seen.values()) <= took * 200 + 2
    assert max(seen.values()) - min(seen.values()) <= 2


async def test_a_hot_one_does_not_wait_for_the_round_of_a_thousand_others() -> None:
    seen: list[str] = []

    async def poll(key: tuple[str, str]) -> bool:
        seen.append(key[1])
        return False

    poller = Poller(poll, rate_per_second=1000, period_seconds=0.01)
    for number in range(1000):
        poller.watch(("x", f"m-{number}"), hot=False)
    poller.watch(("x", "drains"), hot=True)
    task = asyncio.create_task(poller.run())
    await until_true(lambda: len(seen) > 100)
    task.cancel()
    assert seen.count("drains") > 5
    assert len(set(seen)) > 20


async def test_one_where_something_moves_is_asked_again_sooner_than_those_at_rest() -> None:
    seen: Counter[str] = Counter()

    async def poll(key: tuple[str, str]) -> bool:
        seen[key[1]] += 1
        return key[1] == "plots"

    now = 0.0
    poller = Poller(poll, rate_per_second=1000, period_seconds=0.03, clock=lambda: now)
    for name in ("plots", "rests"):
        poller.watch(("x", name), hot=False)
    task = asyncio.create_task(poller.run())
    await until_true(lambda: seen == {"plots": 1, "rests": 1})
    now = 0.02
    await until_true(lambda: seen["plots"] == 2)
    task.cancel()
    assert seen["rests"] == 1


async def test_one_that_is_forgotten_is_not_asked_again() -> None:
    seen: list[tuple[str, str]] = []

    async def poll(key: tuple[str, str]) -> bool:
        seen.append(key)
        return False

    poller = Poller(poll, rate_per_second=1000, period_seconds=0.005)
    poller.watch(("x", "a"), hot=True)
    poller.watch(("x", "b"), hot=True)
    poller.forget(("x", "b"))
    task = asyncio.create_task(poller.run())
    await until_true(lambda: len(seen) > 5)
    task.cancel()
    assert set(seen) == {("x", "a")}


def raise_(key: str, error: Exception) -> None:
    raise AssertionError(key) from error


async def until_true(met: Callable[[], object]) -> None:
    async def look() -> object:
        return met()

    await until_async(look, "the queue does what it is asked", every_seconds=0.001)


async def run_until(queue: WorkQueue[str], met: Callable[[], object]) -> None:
    task = asyncio.create_task(queue.run())
    try:
        await until_true(met)
    finally:
        task.cancel()
