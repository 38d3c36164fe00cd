"""The solo engine: accepts units, makes a block as soon as some wait, tells when they are final.

The chain belongs to one thread (`Bench`); this shell keeps the event loop free. A unit is
acknowledged when its block is committed, never earlier, so whatever a caller was told survives a
crash. There are no empty blocks: an idle network writes nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError, CyberVeinError, ExpiredError
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_runtime.duty import Figure
from cybervein_runtime.retry import insist
from multiformats import CID

from cybervein_supernode.chain.store import CommittedBlock
from cybervein_supernode.engine.bench import Bench
from cybervein_supernode.engine.port import Inclusion

_log = structlog.get_logger()
GATHER_SECONDS = 0.02
"""How long a block waits for company after its first unit."""
RETRY_SECONDS = 1.0
IDLE_SECONDS = 5.0
T = TypeVar("T")
OnBlock = Callable[[CommittedBlock], None]


class SoloEngine:
    """One process orders and finalises; its operator is trusted not to mine."""

    def __init__(self, bench: Bench, on_block: OnBlock) -> None:
        self._bench = bench
        self._on_block = on_block
        self._waiting: dict[CID, asyncio.Future[Inclusion]] = {}
        self._work = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self.failing = ""

    @property
    def pending(self) -> int:
        """Units that wait for a block."""
        return len(self._waiting)

    def is_pending(self, unit: CID) -> bool:
        """Whether the unit waits for a block."""
        return unit in self._waiting

    def parents(self) -> list[CID]:
        """What a new unit may cite."""
        return self._bench.parents

    async def submit(self, raw: bytes) -> tuple[CID, asyncio.Future[Inclusion]]:
        """Check a unit and queue it: its id, and a future that is done once it is in a block.

        Raises what `StateMachine.check_tx` raises, LimitError, ReplayError or UnavailableError.
        """
        parsed = await self._in_thread(lambda: self._bench.admit(raw))
        return parsed.id, self._expect(parsed)

    async def issue(self, body: Body) -> Inclusion:
        """Issue a unit of this super node; returns when it is final.

        Raises ConflictError if it is void: the state moved on, or a duty asked for a wrong thing.
        """
        parsed = await self._in_thread(lambda: self._bench.make(body))
        inclusion = await self._expect(parsed)
        if inclusion.code:
            raise ConflictError(
                f"own unit {body.kind} is void: {inclusion.code}: {inclusion.reason}"
            )
        return inclusion

    async def run(self) -> None:
        """Make blocks until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._work.wait(), IDLE_SECONDS)
            except TimeoutError:
                await self._expire()
                continue
            self._work.clear()
            await asyncio.sleep(GATHER_SECONDS)
            await self._make_block()

    async def close(self) -> None:
        """Wait for the block in progress and close the file."""
        await self._in_thread(self._bench.close)
        self._thread.shutdown()

    def figures(self) -> Sequence[Figure]:
        """What waits, and whether blocks are written."""
        failing = float(bool(self.failing))
        return (
            Figure("pending_units", "Units that wait for a block.", self.pending),
            Figure("block_write_failing", "1 while blocks cannot be written.", failing),
        )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _expect(self, parsed: ParsedUnit) -> asyncio.Future[Inclusion]:
        future: asyncio.Future[Inclusion] = asyncio.get_running_loop().create_future()
        self._waiting[parsed.id] = future
        self._work.set()
        return future

    async def _make_block(self) -> None:
        """One block; a disk that refuses it is reported and tried again, nothing is lost."""
        made = await insist(
            lambda: self._in_thread(self._bench.produce),
            failed=self._tell_failing,
            pause=lambda: asyncio.sleep(RETRY_SECONDS),
        )
        self.failing = ""
        if made is None:
            return
        block, inclusions = made
        self._on_block(block)
        for inclusion in inclusions:
            self._settle(inclusion)
        if self._waiting:
            await self._expire()
            self._work.set()

    def _tell_failing(self, error: CyberVeinError) -> None:
        self.failing = str(error)
        _log.exception("block not written; trying again", error=self.failing)

    def _settle(self, inclusion: Inclusion) -> None:
        future = self._waiting.pop(inclusion.unit, None)
        if future is not None and not future.done():
            future.set_result(inclusion)

    async def _expire(self) -> None:
        """Give up units that no block could take."""
        for unit in await self._in_thread(self._bench.expire):
            future = self._waiting.pop(unit, None)
            if future is not None and not future.done():
                text = f"unit {cid_text(unit)}: no block could take it; check nonce and parents"
                future.set_exception(ExpiredError(text))
