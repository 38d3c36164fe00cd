"""Whether a space proof holds: pure, over values read from the ledger.

Algorithm 3 of SpaceMint, as the ledger uses it: the miner's ECVRF over the beacon, then each
answer's row under its plot's gamma. The number of plots is estimated from the answers; no pledge is
believed (docs/security.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from blake3 import blake3
from cybervein_protocol import vrf
from cybervein_protocol.errors import LimitError, ProofError
from cybervein_protocol.ledger.mining.measurements import SpaceEntry
from cybervein_protocol.messages import SpaceProof, verify_space_proof
from cybervein_protocol.presets import Preset
from cybervein_protocol.space import SpaceAnswer, estimate_plots, verify_space_answer


@dataclass(frozen=True, slots=True)
class SpaceCase:
    """What the ledger says about a proof: its epoch's beacon, the miner, and the plots named."""

    beacon: bytes
    preset: Preset
    vrf_key: bytes
    registered: int
    gammas: Mapping[bytes, bytes]
    """gamma by plot id, of the miner's active plots among those that answer."""


def judge_space_proof(
    proof: SpaceProof, raw: bytes, answers: list[SpaceAnswer], case: SpaceCase
) -> SpaceEntry:
    """The entry for `space.result`. Raises SignatureError, LimitError or ProofError."""
    verify_space_proof(proof)
    vrf.verify(case.vrf_key, case.beacon, proof.vrf_proof)
    _check_list(answers, case)
    xs = [_quality(answer, case) for answer in answers]
    return SpaceEntry(
        miner=proof.miner,
        sent=len(xs),
        estimate=estimate_plots(xs, case.preset.answers_max, case.registered),
        smallest=xs[0].to_bytes(8, "big"),
        vrf_proof=proof.vrf_proof,
        evidence=blake3(raw).digest(),
        miner_sig=proof.sig,
    )


def _check_list(answers: list[SpaceAnswer], case: SpaceCase) -> None:
    """1 to m answers of distinct plots, smallest quality first."""
    if not 1 <= len(answers) <= case.preset.answers_max:
        raise LimitError(
            f"space proof: {len(answers)} answers, expected 1 to {case.preset.answers_max}"
        )
    if len({answer.plot_id for answer in answers}) != len(answers):
        raise ProofError("space proof: a plot answers twice; each answers once")
    if any(left.x > right.x for left, right in pairwise(answers)):
        raise ProofError("space proof: answers are not sorted by x; smallest first")


def _quality(answer: SpaceAnswer, case: SpaceCase) -> int:
    gamma = case.gammas.get(answer.plot_id)
    if gamma is None:
        raise ProofError(
            f"space answer: plot {answer.plot_id.hex()[:16]}… is not an active plot of this miner; "
            "only plots whose batch passed before this epoch count"
        )
    b = case.preset.plot_rows_log2
    return verify_space_answer(case.beacon, answer.plot_id, gamma, b, answer)
