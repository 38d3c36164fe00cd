"""Reed-Solomon against zfec and pyeclib, and the segment pipeline against its hash-only limit.

One call codes 128 KiB of data, as Tahoe-LAFS calls zfec; decode is the worst case, as many data
shares lost as can be. All run from Python on one thread, in one run on one machine, and all with an
allocator that keeps freed buffers; the peers in their own environment.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cybervein_native
from blake3 import blake3
from cybervein_protocol.coding import (
    SEGMENT_PLAIN,
    SegmentSecret,
    SegmentShape,
    decode_segment,
    encode_segment,
    rs_decode,
    rs_encode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
SIZE = MIB // 8
REPETITIONS = 501
ROUNDS = 3
KEPT_BYTES = 256 * MIB
CODES = ("2/6", "4/12", "8/21")
HERE = Path(__file__).parents[1]
PEERS_PYTHON = HERE / ".peers" / "bin" / "python"

Rates = dict[str, dict[str, float]]


def race() -> list[dict[str, object]]:
    """Rows for encode and decode at each code and peer, then for whole segments."""
    cybervein_native.keep_freed_memory(KEPT_BYTES)
    ours: list[Rates] = []
    peers: list[dict[str, Rates]] = []
    for _ in range(ROUNDS):
        ours.append({code: own_rates(code) for code in CODES})
        peers.append(peer_rates())
    rows = []
    for peer in ("zfec", "pyeclib"):
        for code in CODES:
            for what in ("encode", "decode"):
                mine = statistics.median(rates[code][what] for rates in ours)
                theirs = statistics.median(rates[peer][code][what] for rates in peers)
                rows.append(row(f"Reed-Solomon {what} {code}", mine, peer, theirs))
    return rows + segment_rows()


def row(name: str, ours: float, peer_name: str, peer: float) -> dict[str, object]:
    measured = {"ours": round(ours, 1), "peer_name": peer_name, "peer": round(peer, 1)}
    return {"race": name, "unit": "MiB/s", **measured, "ratio": round(ours / peer, 2)}


def rate(call: Callable[[], object], size: int, repetitions: int) -> float:
    """Median MiB/s of calls that work on `size` bytes each."""
    call()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return size / MIB / statistics.median(seconds)


def own_rates(code: str) -> dict[str, float]:
    k, n = map(int, code.split("/"))
    data = [os.urandom(SIZE // k) for _ in range(k)]
    shares = rs_encode(k, n, data)
    kept = {index: shares[index] for index in range(n - k, n)}
    assert rs_decode(k, n, kept) == data
    return {
        "encode": rate(lambda: rs_encode(k, n, data), SIZE, REPETITIONS),
        "decode": rate(lambda: rs_decode(k, n, kept), SIZE, REPETITIONS),
    }


def peer_rates() -> dict[str, Rates]:
    command = [
        str(PEERS_PYTHON),
        str(HERE / "peers" / "coding_rates.py"),
        str(SIZE),
        str(REPETITIONS),
    ]
    kept = {"MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES), "MALLOC_MMAP_THRESHOLD_": str(32 * MIB)}
    environment = {**os.environ, **kept, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [*command, *CODES], env=environment, capture_output=True, text=True, check=True
    )
    result: dict[str, Rates] = json.loads(done.stdout)
    return result


def segment_rows() -> list[dict[str, object]]:
    """Seal, code, mask and hash a segment at 2/6, against hashing its shards alone."""
    shape = SegmentShape(SEGMENT_PLAIN, 2, 6, last=True)
    secret = SegmentSecret(os.urandom(32), os.urandom(32))
    plaintext = os.urandom(SEGMENT_PLAIN)
    shards = {i: shard for i, (_, shard) in enumerate(encode_segment(plaintext, secret, shape))}
    last = {index: shards[index] for index in (4, 5)}

    def hash_all() -> None:
        for shard in shards.values():
            blake3(shard).digest()

    limit = rate(hash_all, SEGMENT_PLAIN, 15)
    encode = rate(lambda: encode_segment(plaintext, secret, shape), SEGMENT_PLAIN, 15)
    decode = rate(lambda: decode_segment(last, secret, shape), SEGMENT_PLAIN, 15)
    return [
        row("segment encode 2/6", encode, "BLAKE3 of the shards alone", limit),
        row("segment decode 2/6, data shards lost", decode, "BLAKE3 of all shards", limit),
    ]
