"""What an answer to an audit proves: pure.

Only an answer that the miner signed, to exactly the question asked, can cost it something. Anything
else (no answer, a foreign or unsigned one) proves nothing and counts as no answer.
"""

from dataclasses import dataclass

from cybervein_protocol.audit import CHUNK_BYTES, Outcome, Sample, outcome_of
from cybervein_protocol.errors import ProofError
from cybervein_protocol.messages import AuditAnswer, verify_audit_answer
from cybervein_protocol.tree import verify_slice
from multiformats import CID


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom: the samples, and each root's size in bytes."""

    network: CID
    epoch: int
    miner: bytes
    holding: bytes
    samples: tuple[Sample, ...]
    sizes: dict[bytes, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome, chunks that verified, and the roots with a wrong or missing chunk."""

    outcome: Outcome
    good: int
    damaged: frozenset[bytes]


def check_fits(question: Question, answer: AuditAnswer) -> None:
    """Raise SignatureError or ProofError unless this is the miner's answer to this question."""
    verify_audit_answer(answer)
    fits = (
        answer.network == question.network
        and answer.epoch == question.epoch
        and answer.miner == question.miner
        and answer.holding == question.holding
        and [(a.root, a.chunk) for a in answer.answers]
        == [(s.root, s.chunk) for s in question.samples]
    )
    if not fits:
        raise ProofError("audit answer: of another question; it proves nothing")


def examine(question: Question, answer: AuditAnswer) -> Finding:
    """The finding of a fitting answer; a null slice admits loss."""
    good = 0
    damaged: set[bytes] = set()
    for given in answer.answers:
        if given.slice is not None and _proves(given.slice, given.root, given.chunk, question):
            good += 1
        else:
            damaged.add(given.root)
    outcome = outcome_of(len(question.samples), good)
    return Finding(outcome, good, frozenset(damaged))


def _proves(encoded: bytes, root: bytes, chunk: int, question: Question) -> bool:
    try:
        verify_slice(encoded, root, chunk * CHUNK_BYTES, CHUNK_BYTES, question.sizes[root])
    except ProofError:
        return False
    return True
