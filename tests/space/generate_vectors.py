"""Writes vectors.json from the specification alone: `python tests/space/generate_vectors.py`.

Long values stand as their BLAKE3. A test regenerates the file and finds no difference, so a change
of the protocol cannot pass by accident.
"""

import json
import os
from pathlib import Path

from blake3 import blake3

os.environ["CYBERVEIN_NATIVE"] = "off"

from cybervein_protocol.space import (
    PlotClaim,
    PlotShape,
    challenge,
    draw_commit_challenges,
    encode_answer,
    encode_commit_proof,
    estimate_plots,
    make_plot,
    measured_space,
    plot_seed,
    prove_commit,
    prove_space,
)
from cybervein_protocol.space.graph import parents
from cybervein_protocol.tree import outboard

FILE = Path(__file__).parent / "vectors.json"
SHAPES = [(4, 1), (4, 8), (5, 2), (6, 3), (7, 1), (8, 4), (9, 2), (10, 8)]
BEACON = blake3(b"beacon").digest()
BATCH = blake3(b"batch").digest()


def miner(seed: int) -> bytes:
    return blake3(b"miner" + bytes((seed,))).digest()


def plot_case(index: int, b: int, k: int) -> dict[str, object]:
    """One plot with everything that is computed from it."""
    key = miner(index)
    mu = plot_seed(key, index, b, k)
    plot = make_plot(mu, PlotShape(b, k))
    claim = PlotClaim(index=index, b=b, k=k, kappa=plot.kappa, gamma=plot.gamma)
    identity = claim.plot_id(key)
    ((_, rows),) = draw_commit_challenges(BEACON, BATCH, [identity], max_plots=32, q=3, n=1 << b)

    def read_at(start: int, length: int) -> bytes:
        return plot.rows[start : start + length]

    answer = prove_space(BEACON, identity, b, read_at, outboard(plot.rows))
    return {
        "public_key": key.hex(),
        "index": index,
        "b": b,
        "k": k,
        "mu": mu.hex(),
        "first_row": plot.rows[:512].hex(),
        "kappa": plot.kappa.hex(),
        "gamma": plot.gamma.hex(),
        "plot_id": identity.hex(),
        "challenged_row": challenge(BEACON, identity, 1 << b)[1],
        "quality": answer.quality,
        "answer": blake3(encode_answer(answer)).hexdigest(),
        "commit_rows": list(rows),
        "commit_proof": blake3(encode_commit_proof(prove_commit(key, claim, rows))).hexdigest(),
    }


def parent_cases() -> list[dict[str, object]]:
    """Parents at the ends and the middle of the row range, also where 2^b is the full u32."""
    return [
        {"b": b, "i": i, "parents": list(parents(i, b))}
        for b in (4, 5, 16, 22, 31, 32)
        for i in (0, 1, (1 << b) // 2, (1 << b) - 1)
    ]


def draw_cases() -> list[dict[str, object]]:
    """Commit draws of batches below, at and above the most plots that are drawn."""
    cases: list[dict[str, object]] = []
    for plots in (1, 31, 32, 33, 100):
        ids = [blake3(bytes((number,))).digest() for number in range(plots)]
        drawn = draw_commit_challenges(BEACON, BATCH, ids, max_plots=32, q=2, n=1 << 22)
        cases.append({"plots": plots, "drawn": [[place, list(rows)] for place, rows in drawn]})
    return cases


def measure_cases() -> list[dict[str, int]]:
    """Estimates at the edges of the rule, and one average."""
    step = (1 << 64) // 1000
    xs = [step * (place + 1) for place in range(8)]
    return [
        {"sent": sent, "m": 8, "registered": n, "estimate": estimate_plots(xs[:sent], 8, n)}
        for sent, n in ((0, 9), (7, 9), (8, 8), (8, 9), (8, 1000))
    ] + [{"measured_bytes": measured_space([3, 0, 4, 5], 3, 4, 1000)}]


def vectors() -> str:
    """The whole file."""
    plots = [plot_case(index, b, k) for index, (b, k) in enumerate(SHAPES)]
    content = {
        "beacon": BEACON.hex(),
        "batch": BATCH.hex(),
        "plots": plots,
        "parents": parent_cases(),
        "commit_draws": draw_cases(),
        "measure": measure_cases(),
    }
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors())
