"""The loop that sees epochs begin: poll, prove, post, and try again while the super node is away.

Nothing here depends on the wall clock: an epoch has begun when the super node says so, and a proof
that could not be delivered is offered again until the super node names another epoch. Reading ends
shortly before the proof's deadline, whatever a disk still owes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import (
    ConflictError,
    CyberVeinError,
    ExpiredError,
    UnavailableError,
)
from cybervein_protocol.messages import SpaceProof
from cybervein_protocol.presets import Preset

from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.super_node import MinersSuperNode, beacon_of
from cybervein_miner.plot.inventory import OwnPlot
from cybervein_miner.prover.deadline import reading_seconds
from cybervein_miner.prover.space import Challenge, SpaceProver
from cybervein_miner.record.tally import Tally

POLL_SECONDS_MIN: Final = 0.2
POLL_SECONDS_MAX: Final = 5.0
RETRY_SECONDS: Final = 0.5
QUIET_SECONDS_MAX: Final = 15.0
_POLLS_PER_DEADLINE: Final = 10
_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class EpochWatch:
    """Follows epochs. `begun` is awaited before proving, to catch up with the ledger."""

    preset: Preset
    super_node: MinersSuperNode
    prover: SpaceProver
    begun: Callable[[NetworkDocument], Awaitable[None]]
    tally: Tally
    sight: Sight
    last_accepted: int | None = None
    last_proof_seconds: float | None = None
    _waiting: SpaceProof | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def counting(self) -> list[OwnPlot]:
        """Plots that count in the open epoch."""
        return self.prover.counting(self.sight.heard)

    def pause_seconds(self) -> float:
        """Until the next look: short while a proof waits or the epoch is about to end."""
        if self._waiting is not None:
            return RETRY_SECONDS
        tenth = self.preset.proof_deadline_seconds / _POLLS_PER_DEADLINE
        soon = min(POLL_SECONDS_MAX, max(POLL_SECONDS_MIN, tenth))
        now = self.sight.now()
        if now is None:
            return soon
        return min(QUIET_SECONDS_MAX, max(soon, now.epoch_ends - now.now))

    def stop(self) -> None:
        """End the loop at its next pause."""
        self._stop.set()

    async def run(self) -> None:
        """Follow epochs until stopped; no error of one round ends the loop."""
        while not self._stop.is_set():
            try:
                await self.round()
            except CyberVeinError as error:
                _log.warning("epoch round failed", error=str(error))
            try:
                await asyncio.wait_for(self._stop.wait(), self.pause_seconds())
            except TimeoutError:
                continue

    async def round(self) -> None:
        """One look at the network, and what follows from it."""
        view = await self._look()
        heard = asyncio.get_running_loop().time()
        if view is None:
            return
        before, self.sight.view = self.sight.view, view
        if before is None or view.epoch != before.epoch:
            await self._new_epoch(before, view, heard)
        if self._waiting is not None:
            await self._offer(self._waiting)

    async def _look(self) -> NetworkDocument | None:
        try:
            view = await self.super_node.network()
        except UnavailableError as error:
            if not self.sight.away:
                _log.warning("super node is away; still trying", error=str(error))
            self.sight.reachable = False
            return None
        if self.sight.away:
            _log.info("super node is back", epoch=view.epoch)
        self.sight.reachable = True
        return view

    async def _new_epoch(
        self, before: NetworkDocument | None, view: NetworkDocument, heard: float
    ) -> None:
        if self._waiting is not None:
            self._missed(self._waiting.epoch, "the super node was away until its epoch was over")
        try:
            await self.begun(view)
        except CyberVeinError as error:
            _log.warning("cannot catch up with the ledger", error=str(error))
        if (
            before is not None
            and view.epoch > before.epoch + 1
            and self.prover.counting(view.epoch)
        ):
            self.tally.proofs_missed += view.epoch - before.epoch - 1
        started = asyncio.get_running_loop().time()
        asked = Challenge(
            view.epoch,
            beacon_of(view.beacon),
            self.preset.answers_max,
            reading_seconds(self.preset, view, started - heard),
        )
        self._waiting = await asyncio.to_thread(self.prover.prove, asked)
        self.last_proof_seconds = asyncio.get_running_loop().time() - started
        if self._waiting is None and self.prover.counting(view.epoch):
            self.tally.proofs_missed += 1  # no disk answered in time

    async def _offer(self, proof: SpaceProof) -> None:
        """Post the proof; it stays waiting only where nobody answered."""
        try:
            judged = await self.super_node.send_space_proof(proof)
        except (UnavailableError, ConflictError):
            return
        except ExpiredError as error:
            self._missed(proof.epoch, str(error))
            return
        except CyberVeinError as error:
            self._refused(proof, str(error))
            return
        if not judged.accepted:
            self._refused(proof, judged.reason)
            return
        if counting := self.prover.counting(proof.epoch):
            took = round(self.last_proof_seconds or 0.0, 2)
            _log.info("space proof accepted", epoch=proof.epoch, plots=len(counting), seconds=took)
        self._waiting, self.last_accepted = None, proof.epoch
        self.tally.proofs_accepted += 1

    def _refused(self, proof: SpaceProof, reason: str) -> None:
        self._waiting = None
        self.tally.proofs_refused += 1
        _log.error("space proof was refused", epoch=proof.epoch, reason=reason)

    def _missed(self, epoch: int, reason: str) -> None:
        self._waiting = None
        self.tally.proofs_missed += 1
        _log.warning("space proof came too late", epoch=epoch, reason=reason)
