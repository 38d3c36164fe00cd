"""A bound on the bytes in flight: whoever wants more waits until others are done."""

import asyncio


class ByteBudget:
    """`take` waits for room; something larger than the whole budget goes alone."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._used = 0
        self._changed = asyncio.Condition()

    async def take(self, size: int) -> None:
        """Wait until `size` bytes fit, then count them."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._used == 0 or self._used + size <= self._capacity
            )
            self._used += size

    async def give(self, size: int) -> None:
        """Return bytes, as soon as their memory is free."""
        async with self._changed:
            self._used -= size
            self._changed.notify_all()
