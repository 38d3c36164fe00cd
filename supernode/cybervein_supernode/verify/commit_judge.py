"""Whether a batch's commit response holds: pure (Algorithm 2 of SpaceMint, by replay)."""

from collections.abc import Sequence

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import CyberVeinError, ProofError
from cybervein_protocol.ledger.mining.bodies import PlotEntry
from cybervein_protocol.messages import CommitResponse
from cybervein_protocol.presets import Preset
from cybervein_protocol.space import (
    PlotClaim,
    decode_commit_proof,
    draw_commit_challenges,
    verify_commit,
)


def judge_commit_response(
    response: CommitResponse, plots: Sequence[PlotEntry], beacon: bytes, preset: Preset
) -> str:
    """Why the batch fails; empty if it passes. The response's signature was verified before."""
    claims = [claim_of(plot, preset) for plot in plots]
    try:
        _judge(response, claims, beacon, preset)
    except CyberVeinError as error:
        return str(error)[:64]
    return ""


def claim_of(plot: PlotEntry, preset: Preset) -> PlotClaim:
    """The claim of a registered plot; its shape is the preset's."""
    return PlotClaim(
        index=plot.index,
        b=preset.plot_rows_log2,
        k=preset.plot_layers,
        kappa=plot.kappa,
        gamma=plot.gamma,
    )


def _judge(
    response: CommitResponse, claims: Sequence[PlotClaim], beacon: bytes, preset: Preset
) -> None:
    """Raise ProofError unless every drawn plot's proof holds."""
    ids = [claim.plot_id(response.miner) for claim in claims]
    drawn = draw_commit_challenges(
        beacon,
        cid_root(response.batch),
        ids,
        max_plots=preset.commit_plots_drawn,
        q=preset.commit_rows_drawn,
        n=1 << preset.plot_rows_log2,
    )
    if len(response.proofs) != len(drawn):
        raise ProofError(f"{len(response.proofs)} proofs, {len(drawn)} plots were drawn")
    for (position, rows), encoded in zip(drawn, response.proofs, strict=True):
        claim = claims[position]
        proof = decode_commit_proof(encoded, claim.shape, preset.commit_rows_drawn)
        verify_commit(response.miner, claim, rows, proof)
