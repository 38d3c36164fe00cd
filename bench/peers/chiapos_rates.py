"""What chiapos does on this machine, as JSON; run with the peers' Python by the plot races.

Arguments: k, folder for the plot (removed by the caller), proofs to measure. One thread throughout.
Prints processor seconds and bytes of the plot, and for proofs: median seconds to verify, bytes, and
system reads for a quality and for a whole proof.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from hashlib import sha256
from pathlib import Path

from chiapos import DiskPlotter, DiskProver, Verifier

ITS_CHOICE, ONE_THREAD, NO_BITFIELD = 0, 1, False
BUFFER_MIB = 3072


def make_plot(k: int, folder: Path) -> dict[str, object]:
    path, work = folder / "peer.plot", str(folder)
    identity = sha256(b"peer").digest()
    start = time.process_time()
    DiskPlotter().create_plot_disk(
        work,
        work,
        work,
        path.name,
        k,
        b"",
        identity,
        BUFFER_MIB,
        ITS_CHOICE,
        ITS_CHOICE,
        ONE_THREAD,
        NO_BITFIELD,
    )
    return {"plot_seconds": time.process_time() - start, "plot_bytes": path.stat().st_size}


def reads() -> int:
    """System calls of this process that read, so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("syscr:")).split()[1])


def check_proofs(folder: Path, wanted: int) -> dict[str, object]:
    prover, verifier = DiskProver(str(folder / "peer.plot")), Verifier()
    identity, k = prover.get_id(), prover.get_size()
    idle = -(reads() - reads())
    seconds, sizes, quality_reads, proof_reads = [], [], [], []
    number = 0
    while len(seconds) < wanted:
        challenge = sha256(number.to_bytes(8, "big")).digest()
        number += 1
        before = reads()
        found = len(prover.get_qualities_for_challenge(challenge))
        if not found:
            continue
        quality_reads.append((reads() - before - idle) / found)
        before = reads()
        proof = prover.get_full_proof(challenge, 0)
        proof_reads.append(reads() - before - idle)
        start = time.perf_counter()
        assert verifier.validate_proof(identity, k, challenge, proof)
        seconds.append(time.perf_counter() - start)
        sizes.append(len(proof))
    return {
        "verify_seconds": statistics.median(seconds),
        "proof_bytes": statistics.median(sizes),
        "quality_reads": statistics.median(quality_reads),
        "proof_reads": statistics.median(proof_reads),
    }


if __name__ == "__main__":
    plot_k, target, proofs = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    result = make_plot(plot_k, target)
    if proofs:
        result |= check_proofs(target, proofs)
    print(json.dumps(result))
