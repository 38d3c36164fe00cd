"""`POST /v1/commit-responses`: a batch's replayed plots, judged at once; then `plot.verdict`.

A response may be large, so few are judged side by side. A batch that nobody answers in time is
voided by the ledger itself.
"""

from cybervein_protocol.api.super_node.events import BatchEvent
from cybervein_protocol.encoding import cid_root, cid_text
from cybervein_protocol.errors import ConflictError, ForbiddenError, UnavailableError, UnknownError
from cybervein_protocol.ledger.mining.bodies import PlotEntry, PlotVerdict
from cybervein_protocol.ledger.state.rows import BATCHES, EPOCHS, PLOTS, BatchRow, epoch_id
from cybervein_protocol.messages import (
    CommitResponse,
    decode_commit_response,
    verify_commit_response,
)
from cybervein_protocol.signing import address
from cybervein_protocol.space import plot_seed

from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.verify.commit_judge import judge_commit_response

JUDGING_MAX = 4


class CommitIntake:
    """Judges commit responses, one per batch."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._judging: set[bytes] = set()

    async def accept(self, raw: bytes) -> str:
        """Judge a response and issue the verdict; why the batch failed, empty if it passed.

        Raises SignatureError, ForbiddenError, UnknownError or ConflictError for a response that
        cannot be judged; that costs the miner nothing.
        """
        response = await self._desk.judge(lambda: self._parse(raw))
        batch = cid_root(response.batch)
        if batch in self._judging or len(self._judging) >= JUDGING_MAX:
            raise UnavailableError("commit responses are being judged; try again in a moment")
        self._judging.add(batch)
        try:
            return await self._judged(response, raw)
        finally:
            self._judging.discard(batch)

    async def _judged(self, response: CommitResponse, raw: bytes) -> str:
        row = self._pending(response)
        reason = await self._desk.judge(lambda: self._verify(response, row))
        epoch = self._desk.view.head().epoch
        evidence = await self._desk.judge(lambda: self._desk.evidence.keep(epoch, raw))
        body = PlotVerdict(
            batch=response.batch,
            epoch=epoch,
            passed=not reason,
            reason=reason,
            evidence=evidence,
        )
        await self._desk.engine.issue(body)
        self._told(response, reason)
        return reason

    def _parse(self, raw: bytes) -> CommitResponse:
        response = decode_commit_response(raw)
        if response.network != self._desk.view.network:
            raise ForbiddenError("commit response: of another network; check network.json")
        verify_commit_response(response)
        return response

    def _pending(self, response: CommitResponse) -> BatchRow:
        """The batch, if this response can judge it."""
        name = f"batch {cid_text(response.batch)}"
        row = self._desk.view.rows.find(BATCHES, cid_root(response.batch))
        if row is None:
            raise UnknownError(f"{name}: not known; is its plot.batch final?")
        if row.miner != response.miner:
            raise ForbiddenError(f"{name}: belongs to {address(row.miner)}")
        if row.state != "pending":
            raise ConflictError(f"{name}: is {row.state} already")
        drawn_in = row.registered + 1  # one beacon only: nobody may wait for a kinder one
        if response.epoch != drawn_in or drawn_in > self._desk.view.head().epoch:
            raise ConflictError(
                f"{name}: registered in epoch {row.registered}; answer the beacon of epoch "
                f"{drawn_in}, not that of epoch {response.epoch}"
            )
        return row

    def _verify(self, response: CommitResponse, row: BatchRow) -> str:
        rows = self._desk.view.rows
        epoch = rows.find(EPOCHS, epoch_id(response.epoch))
        if epoch is None:
            raise UnknownError(f"epoch {response.epoch}: its beacon is not known")
        plots = [self._entry(row, index) for index in row.plots]
        return judge_commit_response(response, plots, epoch.beacon, self._desk.preset)

    def _entry(self, row: BatchRow, index: int) -> PlotEntry:
        preset = self._desk.preset
        mu = plot_seed(row.miner, index, preset.plot_rows_log2, preset.plot_layers)
        plot = self._desk.view.rows.find(PLOTS, mu)
        if plot is None:
            raise ConflictError(f"plot {index} of the batch is not live any more")
        return PlotEntry(index=index, kappa=plot.kappa, gamma=plot.gamma)

    def _told(self, response: CommitResponse, reason: str) -> None:
        outcome = "failed" if reason else "passed"
        self._desk.tally.add("commit_responses", outcome)
        self._desk.hub.publish(
            BatchEvent(
                miner=address(response.miner),
                batch=cid_text(response.batch),
                outcome=outcome,
                reason=reason,
            )
        )
