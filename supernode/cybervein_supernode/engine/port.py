"""What an engine is: it takes units, orders them into blocks and tells when they are final.

Duties and routes know only this port, so another engine (several super nodes) takes the place of
`solo` without a change to them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from cybervein_protocol.ledger.units.body import Body
from cybervein_runtime.duty import Figure
from multiformats import CID


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a unit ended; `code` is empty unless it is void."""

    unit: CID
    height: int
    code: str
    reason: str

    @property
    def status(self) -> Literal["final", "void"]:
        """`final` or `void`."""
        return "void" if self.code else "final"


class Engine(Protocol):
    """Orders and finalises units."""

    @property
    def failing(self) -> str:
        """Why blocks cannot be written now; empty while they can."""
        ...

    @property
    def pending(self) -> int:
        """Units that wait for a block."""
        ...

    def is_pending(self, unit: CID) -> bool:
        """Whether the unit waits for a block."""
        ...

    def parents(self) -> list[CID]:
        """What a new unit may cite."""
        ...

    async def submit(self, raw: bytes) -> tuple[CID, asyncio.Future[Inclusion]]:
        """Check a unit and queue it: its id, and a future that is done once it is in a block."""
        ...

    async def issue(self, body: Body) -> Inclusion:
        """Issue a unit of this super node; returns when it is final.

        Raises ConflictError if it is void.
        """
        ...

    def figures(self) -> Sequence[Figure]:
        """The engine's part of the status."""
        ...

    async def run(self) -> None:
        """Make blocks until cancelled."""
        ...

    async def close(self) -> None:
        """Finish the block in progress and close the files."""
        ...
