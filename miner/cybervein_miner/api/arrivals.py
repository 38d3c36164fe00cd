"""Who uploads which shard now: a second upload by the same bearer takes the place of a stalled one.

A client whose line broke, or which gave up, comes back; its old connection may be half open for as
long as the kernel believes in it. Whoever bears an order for the same root may end it, nobody else:
what moves, or is of another bearer, is waited for.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from cybervein_protocol.errors import ConflictError
from fastapi import Request

from cybervein_miner.api.bulk import CUT

STALLED_SECONDS = 5.0
"""An upload of which nothing came for so long gives way."""
GIVE_WAY_SECONDS = 5.0
"""Its end is waited for so long: a disk may hold it up."""


@dataclass(eq=False)
class Arrival:
    """One upload; `cut` ends its connection, `moved` is called whenever bytes came."""

    bearer: bytes
    cut: Callable[[], None] | None
    moved_at: float = field(default_factory=time.monotonic)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def moved(self) -> None:
        """Bytes came."""
        self.moved_at = time.monotonic()

    def stalled(self) -> bool:
        """Whether nothing came for so long that another one may take its place."""
        return time.monotonic() - self.moved_at >= STALLED_SECONDS


@dataclass(eq=False)
class Arrivals:
    """Uploads by root."""

    _by_root: dict[bytes, Arrival] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, root: bytes, bearer: bytes, request: Request) -> AsyncIterator[Arrival]:
        """Be the one that uploads a root. Raises ConflictError while another one does."""
        while (old := self._by_root.get(root)) is not None:
            await self._replace(root, old, bearer)
        arrival = Arrival(bearer, request.scope.get("extensions", {}).get(CUT))
        self._by_root[root] = arrival
        try:
            yield arrival
        finally:
            del self._by_root[root]
            arrival.gone.set()

    async def _replace(self, root: bytes, old: Arrival, bearer: bytes) -> None:
        if old.cut is not None and old.bearer == bearer and old.stalled():
            old.cut()
            with suppress(TimeoutError):
                await asyncio.wait_for(old.gone.wait(), GIVE_WAY_SECONDS)
                return
        raise ConflictError(f"shard {root.hex()[:16]} is being uploaded already; wait for it")
