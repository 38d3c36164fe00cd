"""Writes vectors.json from the specification alone: `python tests/coding/generate_vectors.py`.

The plaintext of size n is the bytes 0..250 over and over. The roots of a segment's shards stand as
the BLAKE3 of all of them. A test regenerates the file and finds no difference.
"""

import json
import os
from pathlib import Path

from blake3 import blake3

os.environ["CYBERVEIN_NATIVE"] = "off"

from cybervein_protocol.coding import (
    CHUNK_PLAIN,
    SEGMENT_PLAIN,
    SegmentSecret,
    SegmentShape,
    data_key,
    encode_segment,
    repair_key,
)
from cybervein_protocol.coding.keys import mask_key

FILE = Path(__file__).parent / "vectors.json"
CODES = ((1, 1), (1, 2), (2, 6), (3, 5), (4, 12), (7, 9), (8, 21))
EDGES = (CHUNK_PLAIN, 2 * CHUNK_PLAIN, 8 * CHUNK_PLAIN)
SIZES = (0, 1, 15, 16, 17, *(edge + step for edge in EDGES for step in (-1, 0, 1)))
FULL = ((SEGMENT_PLAIN, 2, 3, False), (SEGMENT_PLAIN, 3, 4, True), (SEGMENT_PLAIN - 1, 2, 3, True))
SECRET = SegmentSecret(blake3(b"file key").digest(), blake3(b"salt").digest())


def content(size: int) -> bytes:
    period = bytes(range(251))
    return (period * (size // 251 + 1))[:size]


def case(shape: SegmentShape) -> dict[str, object]:
    pairs = encode_segment(content(shape.size), SECRET, shape)
    roots = blake3(b"".join(root for root, _ in pairs)).hexdigest()
    code = {"size": shape.size, "k": shape.k, "n": shape.n, "last": shape.last}
    return {**code, "shard_size": shape.shard_size, "roots": roots}


def keys() -> dict[str, str]:
    pair = (SECRET.file_key, SECRET.salt)
    masks = {f"mask_key_{i}": mask_key(repair_key(*pair), i).hex() for i in (0, 1, 255)}
    return {"data_key": data_key(*pair).hex(), "repair_key": repair_key(*pair).hex(), **masks}


def vectors() -> str:
    small = [SegmentShape(size, k, n, last=True) for k, n in CODES for size in SIZES]
    full = [SegmentShape(size, k, n, last=last) for size, k, n, last in FULL]
    return json.dumps({"keys": keys(), "cases": [*map(case, small + full)]}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors())
