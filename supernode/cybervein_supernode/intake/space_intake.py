"""`POST /v1/space-proofs` and, after the deadline, `space.result`.

The first proof of a miner and epoch that holds is the one that counts; sending it again is answered
in the same way, after the deadline too: a miner that was started again does not know what it sent.
Whatever was accepted is on disk before the miner hears so.
"""

from collections.abc import Callable

import structlog
from cybervein_protocol.api.super_node.events import ProofEvent
from cybervein_protocol.errors import ConflictError, CyberVeinError, ExpiredError, ForbiddenError
from cybervein_protocol.ledger.mining.measurements import SpaceEntry, SpaceResult
from cybervein_protocol.messages import SpaceProof, decode_space_proof
from cybervein_protocol.signing import address
from cybervein_protocol.space import SpaceAnswer, decode_answer

from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.clock.timeline import Timeline
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.verify.space_judge import SpaceCase, judge_space_proof

_log = structlog.get_logger()
ENTRIES_PER_UNIT = 512
JUDGING_MAX = 64
"""Proofs that wait for a judge; more are told to come back."""


def results_issued(view: LedgerView, epoch: int) -> bool:
    """Whether the ledger has space results of that epoch (seen after a restart)."""
    return any(row.space_epoch == epoch + 1 for _, row in view.miners())


class SpaceIntake:
    """Judges proofs of the open epoch; `in_time` says whether its deadline is still ahead."""

    def __init__(self, desk: Desk, in_time: Callable[[], bool]) -> None:
        self._desk = desk
        self._in_time = in_time
        self._judging: set[bytes] = set()

    async def accept(self, raw: bytes) -> SpaceEntry:
        """Judge a proof. Raises what is wrong with it; nothing is kept then."""
        proof = decode_space_proof(raw)
        if proof.network != self._desk.view.network:
            raise ForbiddenError("space proof: of another network; check network.json")
        known = self._desk.notebook.space(proof.epoch, proof.miner)
        if known:
            return known[0]
        self._check_open(proof)
        if proof.miner in self._judging or len(self._judging) >= JUDGING_MAX:
            raise ConflictError("this miner's proof is being judged already; wait for its answer")
        self._judging.add(proof.miner)
        try:
            entry = await self._desk.judge(lambda: self._judge(proof, raw))
        except CyberVeinError as error:
            self._told(proof.miner, proof.epoch, "rejected", str(error))
            raise
        finally:
            self._judging.discard(proof.miner)
        self._told(proof.miner, proof.epoch, "accepted", "")
        return entry

    async def issue_results(self, timeline: Timeline) -> None:
        """After the deadline: `space.result` for what was accepted and is not in the ledger yet."""
        entries = [e for e in self._desk.notebook.space(timeline.epoch) if self._new(e, timeline)]
        for start in range(0, len(entries), ENTRIES_PER_UNIT):
            part = entries[start : start + ENTRIES_PER_UNIT]
            body = SpaceResult(epoch=timeline.epoch, results=part)
            await self._desk.engine.issue(body)
        self._count_missed(timeline.epoch, {entry.miner for entry in entries})

    def _check_open(self, proof: SpaceProof) -> None:
        """Epoch and deadline. Raises ExpiredError."""
        epoch = self._desk.view.head().epoch
        if proof.epoch != epoch or not self._in_time():
            raise ExpiredError(
                f"space proof for epoch {proof.epoch}: epoch {epoch} is open and its deadline is "
                f"{'ahead' if self._in_time() else 'past'}; answer the next beacon in time"
            )

    def _judge(self, proof: SpaceProof, raw: bytes) -> SpaceEntry:
        """In a judge's thread: verify, keep the evidence, remember."""
        answers = [decode_answer(answer) for answer in proof.answers]
        entry = judge_space_proof(proof, raw, answers, self._case(proof, answers))
        self._desk.evidence.keep(proof.epoch, raw)
        self._desk.notebook.add_space(proof.epoch, entry)
        return entry

    def _case(self, proof: SpaceProof, answers: list[SpaceAnswer]) -> SpaceCase:
        view = self._desk.view
        miner = view.miner(proof.miner)
        found = ((answer.plot_id, view.active_plot(answer.plot_id)) for answer in answers)
        gammas = {key: plot.gamma for key, plot in found if plot and plot.miner == proof.miner}
        return SpaceCase(view.head().beacon, view.preset, miner.vrf, miner.plots_active, gammas)

    def _new(self, entry: SpaceEntry, timeline: Timeline) -> bool:
        return self._desk.view.miner(entry.miner).space_epoch != timeline.epoch + 1

    def _told(self, miner: bytes, epoch: int, outcome: str, reason: str) -> None:
        self._desk.tally.add("space_proofs", outcome)
        self._desk.hub.publish(
            ProofEvent(miner=address(miner), epoch=epoch, outcome=outcome, reason=reason)
        )

    def _count_missed(self, epoch: int, proved: set[bytes]) -> None:
        """Miners with active plots that sent nothing: warned on the event stream."""
        for key, row in self._desk.view.miners():
            if row.plots_active and key not in proved and row.space_epoch != epoch + 1:
                self._told(key, epoch, "missed", "no proof before the deadline")
