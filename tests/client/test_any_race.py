"""Fetching k of many and counting bytes in flight, whatever fails or waits."""

import asyncio

from cybervein_client.download.race import first_k
from cybervein_client.upload.budget import ByteBudget
from cybervein_protocol.errors import UnavailableError
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 6))
def test_the_first_k_that_work_are_taken_in_the_order_wanted(works: list[bool], k: int) -> None:
    asked: list[int] = []

    async def fetch(index: int) -> bytes:
        asked.append(index)
        await asyncio.sleep(0)
        if not works[index]:
            raise UnavailableError(f"miner {index} is away")
        return bytes([index])

    got = asyncio.run(first_k(k, range(len(works)), fetch))
    good = [index for index, works_ in enumerate(works) if works_]
    assert len(got) == min(k, len(good))
    assert all(works[index] and data == bytes([index]) for index, data in got.items())
    assert asked == sorted(asked)
    failed = sum(not works[index] for index in asked)
    assert len(asked) <= k + failed


@given(st.lists(st.integers(1, 15), max_size=12), st.integers(1, 20))
def test_bytes_in_flight_stay_within_the_budget_and_everyone_gets_a_turn(
    sizes: list[int], capacity: int
) -> None:
    flying, most, done = 0, 0, 0

    async def carry(budget: ByteBudget, size: int) -> None:
        nonlocal flying, most, done
        await budget.take(size)
        flying += size
        alone = flying == size
        assert flying <= capacity or alone
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= size
        await budget.give(size)
        done += 1

    async def all_of_them() -> None:
        budget = ByteBudget(capacity)
        await asyncio.gather(*(carry(budget, size) for size in sizes))

    asyncio.run(all_of_them())
    assert done == len(sizes)
    assert most <= max([capacity, *sizes])
