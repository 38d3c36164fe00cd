"""Re-proving: what evidence still lies here is judged again while a chain is replayed.

A replay alone takes space proofs and possession answers on a super node's word, because their bytes
are off the ledger. Within the evidence window they are on disk, so they are checked once more
against the state of their epoch; an epoch counts as re-proved if all its evidence was there and
says what the unit says, else as attested.

A space proof was judged at some moment of its epoch before `space.result`; plots may have been
retired since. So a plot that was active at any moment of the epoch counts as such.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cybervein_protocol.errors import CyberVeinError, ProofError, UnknownError
from cybervein_protocol.ledger.chain.replay import Replayed
from cybervein_protocol.ledger.mining.measurements import (
    AuditEntry,
    AuditResult,
    SpaceEntry,
    SpaceResult,
)
from cybervein_protocol.ledger.state.rows import (
    EPOCHS,
    MINERS,
    PLOTS,
    SHARDS,
    EpochRow,
    MinerRow,
    PlotRow,
    ShardRow,
    epoch_id,
)
from cybervein_protocol.ledger.units.events import EpochClosed
from cybervein_protocol.messages import decode_audit_answer, decode_space_proof, verify_audit_answer
from cybervein_protocol.presets import Preset
from cybervein_protocol.space import decode_answer, plot_id
from cybervein_protocol.tree import verify_slice

from cybervein_supernode.verify.evidence import EvidenceStore
from cybervein_supernode.verify.space_judge import SpaceCase, judge_space_proof

_CHUNK = 1024
_PLOT, _SHARD = PLOTS.key(b""), SHARDS.key(b"")
_MINER, _EPOCH = MINERS.key(b""), EPOCHS.key(b"")


@dataclass
class Reprover:
    """Follows a replay block by block; `attested` are epochs with evidence that is gone."""

    evidence: Path
    preset: Preset
    seen: set[int] = field(default_factory=set)
    attested: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._store = EvidenceStore(self.evidence, self.preset.evidence_epochs)
        self._plots: dict[bytes, PlotRow] = {}
        self._retired: dict[bytes, PlotRow] = {}  # in this epoch
        self._active: dict[bytes, set[int]] = {}  # numbers of active plots in this epoch, by miner
        self._plot_ids: dict[bytes, bytes] = {}
        self._sizes: dict[bytes, int] = {}
        self._miners: dict[bytes, MinerRow] = {}
        self._beacons: dict[bytes, bytes] = {}

    @property
    def reproved(self) -> set[int]:
        """Epochs whose every space proof and possession answer was judged again."""
        return self.seen - self.attested

    def follow(self, step: Replayed) -> None:
        """Judge a block's results, then take its changes. Raises ProofError where they differ."""
        void = {entry.unit for entry in step.block.voids}
        for parsed in step.units:
            if parsed.id not in void and isinstance(parsed.body, SpaceResult | AuditResult):
                self._judge(parsed.body)
        for key, row in step.result.changed.items():
            self._take(key, row)
        if any(isinstance(event, EpochClosed) for event in step.result.events):
            self._retired.clear()
            self._active.clear()

    def _judge(self, body: SpaceResult | AuditResult) -> None:
        self.seen.add(body.epoch)
        for entry in body.results:
            try:
                self._judge_one(body.epoch, entry)
            except UnknownError:
                self.attested.add(body.epoch)
            except CyberVeinError as error:
                raise ProofError(
                    f"epoch {body.epoch}: evidence {entry.evidence.hex()[:16]} does not say what "
                    f"the ledger says: {error}"
                ) from error

    def _judge_one(self, epoch: int, entry: SpaceEntry | AuditEntry) -> None:
        if isinstance(entry, SpaceEntry):
            self._judge_space(epoch, entry, self._store.read(entry.evidence))
        elif entry.outcome in {"passed", "wrong"}:
            self._judge_audit(entry, self._store.read(entry.evidence))

    def _judge_space(self, epoch: int, entry: SpaceEntry, raw: bytes) -> None:
        proof = decode_space_proof(raw)
        answers = [decode_answer(answer) for answer in proof.answers]
        mus = ((a.plot_id, self._plot_ids.get(a.plot_id, b"")) for a in answers)
        found = ((key, self._plots.get(mu) or self._retired.get(mu)) for key, mu in mus)
        gammas = {key: plot.gamma for key, plot in found if plot and plot.miner == entry.miner}
        miner = self._miners[entry.miner]
        beacon = self._beacons[epoch_id(epoch)]
        counts = {miner.plots_active} | self._active.get(entry.miner, set())
        for active in (count for count in counts if count >= len(answers)):
            case = SpaceCase(beacon, self.preset, miner.vrf, active, gammas)
            if judge_space_proof(proof, raw, answers, case) == entry:
                return
        raise ProofError("judged again, the proof gives another entry")

    def _judge_audit(self, entry: AuditEntry, raw: bytes) -> None:
        answer = decode_audit_answer(raw)
        verify_audit_answer(answer)
        good = sum(
            given.slice is not None and self._proves(given.slice, given.root, given.chunk)
            for given in answer.answers
        )
        said = (entry.miner, entry.challenged, entry.good, entry.holding, entry.miner_sig)
        if (answer.miner, len(answer.answers), good, answer.holding, answer.sig) != said:
            raise ProofError(f"judged again, {good} of {len(answer.answers)} chunks are good")

    def _proves(self, encoded: bytes, root: bytes, chunk: int) -> bool:
        try:
            verify_slice(encoded, root, chunk * _CHUNK, _CHUNK, self._sizes.get(root))
        except ProofError:
            return False
        return True

    def _note_active(self, miner: bytes) -> None:
        """The number of active plots that is about to change."""
        if before := self._miners.get(miner):
            self._active.setdefault(miner, set()).add(before.plots_active)

    def _take(self, key: bytes, row: object) -> None:
        """Plots, shards' sizes, miners and beacons as they stand after the block."""
        if key.startswith(_PLOT):
            mu = key[len(_PLOT) :]
            if isinstance(row, PlotRow):
                self._plots[mu] = row
                self._plot_ids[plot_id(mu, row.kappa, row.gamma)] = mu
            elif gone := self._plots.pop(mu, None):
                self._retired[mu] = gone
        elif key.startswith(_SHARD) and isinstance(row, ShardRow):
            self._sizes[row.root] = row.size
        elif key.startswith(_MINER) and isinstance(row, MinerRow):
            self._note_active(key[len(_MINER) :])
            self._miners[key[len(_MINER) :]] = row
        elif key.startswith(_EPOCH) and isinstance(row, EpochRow):
            self._beacons[key[len(_EPOCH) :]] = row.beacon
