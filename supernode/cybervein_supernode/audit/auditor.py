"""The audits of an epoch: every miner that holds shards, at a moment of its own.

The samples follow from the beacon, the miner and its holding, so neither side chooses them. A miner
that does not answer is asked again until the epoch's audits end; only then is it a timeout. Errors
of this process are its own: such a miner is not judged.
"""

import asyncio
import secrets
from dataclasses import dataclass

import structlog
from cybervein_protocol.api.super_node.events import AuditEvent
from cybervein_protocol.audit import Held, Outcome, draw_samples, holding_root
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, UnavailableError
from cybervein_protocol.ledger.mining.measurements import AuditEntry, AuditResult
from cybervein_protocol.ledger.state.rows import MinerRow, shard_id
from cybervein_protocol.messages import AuditAnswer, AuditItem, AuditRequest
from cybervein_protocol.signing import address

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.clock.timeline import Timeline
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.notebook import Loss
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.verify.examination import Finding, Question, check_fits, examine

_log = structlog.get_logger()
MINERS_AT_ONCE = 16
ENTRIES_PER_UNIT = 1024
ASK_SECONDS_MAX = 30.0
RETRY_SHARE = 0.1
"""Share of an epoch between two attempts at a silent miner."""
END_SHARE = 0.85
"""Audits end at this share of the epoch, so that results are final before it closes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One miner's audit of one epoch."""

    entry: AuditEntry
    damaged: frozenset[bytes]


class Auditor:
    """Runs once an epoch."""

    def __init__(self, desk: Desk, miners: MinerPeer) -> None:
        self._desk = desk
        self._miners = miners
        self._turn = asyncio.Semaphore(MINERS_AT_ONCE)

    async def run(self, timeline: Timeline) -> None:
        """Audit all holders and issue `audit.result`; miners judged already are left out."""
        view = self._desk.view
        due = [
            (key, row)
            for key, row in view.miners()
            if row.held_shards and row.audit_epoch != timeline.epoch + 1
        ]
        verdicts = await asyncio.gather(*(self._audit(timeline, *one) for one in due))
        entries = [verdict.entry for verdict in verdicts]
        for start in range(0, len(entries), ENTRIES_PER_UNIT):
            part = entries[start : start + ENTRIES_PER_UNIT]
            body = AuditResult(epoch=timeline.epoch, results=part)
            await self._desk.engine.issue(body)
        for verdict in verdicts:
            self._told(timeline.epoch, verdict)

    async def _audit(self, timeline: Timeline, key: bytes, row: MinerRow) -> Verdict:
        """One miner; an error of ours ends as `verifier`, which costs it nothing."""
        try:
            shards = await self._desk.judge(lambda: self._desk.view.shards_of_miner(key))
            question = await self._desk.judge(lambda: self._question(timeline, key, shards))
            answer, tries = await self._ask(timeline, question, row.url)
            if answer is None:
                return await self._silent(question, tries)
            finding = await self._desk.judge(lambda: examine(question, answer))
            return await self._answered(question, answer, finding, shards)
        except Exception:  # noqa: BLE001 -- logged; our own fault is no verdict
            _log.exception("audit failed here; the miner is not judged", miner=address(key))
            return Verdict(_entry(key, Outcome.VERIFIER), frozenset())

    def _question(self, timeline: Timeline, key: bytes, shards: list[Shard]) -> Question:
        sizes = {shard.row.root: shard.row.size for shard in shards}
        holding = [Held(root, size) for root, size in sizes.items()]
        beacon = self._desk.view.head().beacon
        samples = draw_samples(beacon, key, holding, self._desk.preset.audit_samples)
        return Question(
            network=self._desk.view.network,
            epoch=timeline.epoch,
            miner=key,
            holding=holding_root(holding),
            samples=tuple(samples),
            sizes=sizes,
        )

    async def _ask(
        self, timeline: Timeline, question: Question, url: str
    ) -> tuple[AuditAnswer | None, list[str]]:
        """The answer, or None and what went wrong each time."""
        length = timeline.ends - timeline.began
        ends = timeline.began + END_SHARE * length
        await self._pause(secrets.randbelow(1000) / 1000 * RETRY_SHARE * length)
        tries: list[str] = []
        while (left := ends - self._desk.time.monotonic()) > 0:
            try:
                async with self._turn:
                    return await self._ask_once(question, url, min(left, ASK_SECONDS_MAX)), tries
            except CyberVeinError as error:
                tries.append(f"{error.code}: {error}"[:200])
            left = ends - self._desk.time.monotonic()
            await self._pause(min(RETRY_SHARE * length, max(0.0, left)))
        return None, tries or [f"{UnavailableError.code}: not asked in time"]

    async def _ask_once(self, question: Question, url: str, seconds: float) -> AuditAnswer:
        items = [AuditItem(root=s.root, chunk=s.chunk) for s in question.samples]
        request = AuditRequest(v=1, epoch=question.epoch, holding=question.holding, items=items)
        answer = await self._miners.audit(Peer(question.miner, url), request, seconds)
        await self._desk.judge(lambda: check_fits(question, answer))
        return answer

    async def _pause(self, seconds: float) -> None:
        await self._desk.time.sleep(seconds)

    async def _silent(self, question: Question, tries: list[str]) -> Verdict:
        """No valid answer: not paid this epoch; repair only after the grace."""
        record = encode({"v": 1, "epoch": question.epoch, "miner": question.miner, "tries": tries})
        evidence = await self._keep(question.epoch, record)
        entry = _entry(
            question.miner,
            Outcome.TIMEOUT,
            challenged=len(question.samples),
            holding=question.holding,
            evidence=evidence,
        )
        return Verdict(entry, frozenset())

    async def _answered(
        self, question: Question, answer: AuditAnswer, finding: Finding, shards: list[Shard]
    ) -> Verdict:
        """A signed answer: keep it, remember the miner was there, queue what it does not hold."""
        evidence = await self._keep(question.epoch, encode(answer))
        self._desk.notebook.mark_seen(question.miner, question.epoch)
        for shard in shards:
            if shard.row.root in finding.damaged:
                identity = shard_id(shard.deal, shard.segment, shard.index)
                loss = Loss(identity, question.miner, "audit", question.epoch)
                self._desk.notebook.add_loss(loss)
        entry = _entry(
            question.miner,
            finding.outcome,
            challenged=len(question.samples),
            good=finding.good,
            holding=question.holding,
            evidence=evidence,
            miner_sig=answer.sig,
        )
        return Verdict(entry, finding.damaged)

    async def _keep(self, epoch: int, data: bytes) -> bytes:
        return await self._desk.judge(lambda: self._desk.evidence.keep(epoch, data))

    def _told(self, epoch: int, verdict: Verdict) -> None:
        entry = verdict.entry
        self._desk.tally.add("audits", entry.outcome)
        self._desk.hub.publish(
            AuditEvent(
                miner=address(entry.miner),
                epoch=epoch,
                outcome=entry.outcome,
                challenged=entry.challenged,
                good=entry.good,
                damaged_shards=len(verdict.damaged),
            )
        )


def _entry(  # noqa: PLR0913 -- an entry's fields, by name
    miner: bytes,
    outcome: Outcome,
    *,
    challenged: int = 0,
    good: int = 0,
    holding: bytes = bytes(32),
    evidence: bytes = bytes(32),
    miner_sig: bytes = b"",
) -> AuditEntry:
    return AuditEntry(
        miner=miner,
        outcome=outcome.value,
        challenged=challenged,
        good=good,
        holding=holding,
        evidence=evidence,
        miner_sig=miner_sig,
    )
