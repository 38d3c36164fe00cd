"""Work that continues, whoever stops waiting for it, and whose late error troubles nobody."""

import asyncio
import gc

import pytest
from cybervein_runtime.outcome import outcome


async def fails(when: asyncio.Event) -> None:
    await when.wait()
    raise OSError("the peer is gone")


@pytest.fixture
async def troubles() -> list[object]:
    """What the event loop complains of."""
    found: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def test_who_waits_is_told(troubles: list[object]) -> None:
    when = asyncio.Event()
    when.set()
    with pytest.raises(OSError, match="the peer is gone"):
        await outcome(asyncio.ensure_future(fails(when)))
    assert await outcome(asyncio.ensure_future(asyncio.sleep(0, "done")), 60) == "done"
    assert troubles == []


async def test_what_fails_when_nobody_waits_any_more_is_not_complained_of(
    troubles: list[object],
) -> None:
    when = asyncio.Event()
    work = asyncio.ensure_future(fails(when))
    with pytest.raises(TimeoutError):
        await outcome(work, 0.01)
    waiting = asyncio.ensure_future(outcome(work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not work.done()
    when.set()
    await asyncio.wait({work})
    del work
    gc.collect()
    await asyncio.sleep(0)
    assert troubles == []
