"""Proof of space: plots, their commitments, challenges, proofs and the measure of space.

The source is SpaceMint (Park et al., FC 2018), Algorithms 1 to 3, over Ren and Devadas' stacked
localized expander with a chain edge. Read in this order: `shape`, `seed`, `graph`, `labels`,
`columns`, `plotting` (Algorithm 1), `challenges`, `commit` and `replay` (Algorithm 2), `prove`
(Algorithm 3), `measure`; `messages` and `metadata` are the formats. Numbers: docs/security.md.
"""

from cybervein_protocol.space.challenges import challenge, draw_commit_challenges, quality
from cybervein_protocol.space.commit import verify_commit
from cybervein_protocol.space.measure import estimate_plots, measured_space
from cybervein_protocol.space.messages import (
    ANSWER_BYTES_MAX,
    CommitProof,
    PlotClaim,
    SpaceAnswer,
    commit_proof_bytes_max,
    decode_answer,
    decode_commit_proof,
    encode_answer,
    encode_commit_proof,
)
from cybervein_protocol.space.metadata import PlotMetadata, decode_metadata, describe_plot
from cybervein_protocol.space.plotting import Plot, make_plot
from cybervein_protocol.space.prove import prove_space, row_quality, verify_space_answer
from cybervein_protocol.space.replay import prove_commit
from cybervein_protocol.space.seed import plot_id, plot_seed
from cybervein_protocol.space.shape import ROW_BYTES, PlotShape

__all__ = [
    "ANSWER_BYTES_MAX",
    "ROW_BYTES",
    "CommitProof",
    "Plot",
    "PlotClaim",
    "PlotMetadata",
    "PlotShape",
    "SpaceAnswer",
    "challenge",
    "commit_proof_bytes_max",
    "decode_answer",
    "decode_commit_proof",
    "decode_metadata",
    "describe_plot",
    "draw_commit_challenges",
    "encode_answer",
    "encode_commit_proof",
    "estimate_plots",
    "make_plot",
    "measured_space",
    "plot_id",
    "plot_seed",
    "prove_commit",
    "prove_space",
    "quality",
    "row_quality",
    "verify_commit",
    "verify_space_answer",
]
