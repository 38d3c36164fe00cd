"""Trying again: bounded for who waits, without end for what must happen."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnavailableError
from cybervein_runtime.retry import insist, retry


def failing(times: int, error: Exception) -> Callable[[], Coroutine[None, None, str]]:
    """A call that fails so often, then gives `done`."""
    left = iter(range(times))

    async def call() -> str:
        if next(left, None) is not None:
            raise error
        return "done"

    return call


async def test_the_first_result_within_the_attempts_is_taken_else_the_last_error() -> None:
    away = UnavailableError("away")
    assert await retry(failing(2, away), attempts=3, base_seconds=0) == "done"
    with pytest.raises(UnavailableError, match="away"):
        await retry(failing(3, away), attempts=3, base_seconds=0)


async def test_only_errors_of_the_named_class_are_tried_again() -> None:
    refused = ConflictError("no")
    with pytest.raises(ConflictError, match="no"):
        await retry(failing(1, refused), attempts=3, base_seconds=0)
    assert await retry(failing(1, refused), attempts=3, base_seconds=0, on=ConflictError) == "done"


async def test_a_step_that_must_happen_is_tried_until_it_works_and_every_failure_is_told() -> None:
    told: list[CyberVeinError | str] = []

    async def pause() -> None:
        told.append("pause")

    error = UnavailableError("disk full")
    assert await insist(failing(2, error), failed=told.append, pause=pause) == "done"
    assert told == [error, "pause", error, "pause"]


async def test_a_fault_of_ours_ends_it() -> None:
    with pytest.raises(KeyError):
        await insist(failing(1, KeyError()), failed=print, pause=lambda: asyncio.sleep(0))
