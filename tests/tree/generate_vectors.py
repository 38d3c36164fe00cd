"""Writes vectors.json from the specification alone: `python tests/tree/generate_vectors.py`.

The input of size n is the bytes 0..250 over and over, as in BLAKE3's own vectors. Outboards and
slices stand as their BLAKE3. A test regenerates the file and finds no difference.
"""

import json
import os
from pathlib import Path

from blake3 import blake3

os.environ["CYBERVEIN_NATIVE"] = "off"

from cybervein_protocol.tree import CHUNK, GROUP, root_and_outboard, slice_of

FILE = Path(__file__).parent / "vectors.json"
EDGES = (CHUNK, 2 * CHUNK, GROUP, 2 * GROUP, 3 * GROUP, 4 * GROUP)
SIZES = (0, 1, *(edge + step for edge in EDGES for step in (-1, 0, 1)), 5 * GROUP + 3 * CHUNK + 9)


def content(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


def ranges(size: int) -> list[tuple[int, int]]:
    whole = [(0, 0), (0, 1), (0, size), (size, 1), (size + 1, 0)]
    return [*whole, (size // 2, 512), (size // 3, size // 2), (max(0, size - 1), 2)]


def digest(data: bytes) -> str:
    return blake3(data).hexdigest()


def case(size: int) -> dict[str, object]:
    data = content(size)
    root, outboard = root_and_outboard(data)
    slices = []
    for start, length in ranges(size):
        made = slice_of(lambda at, n: data[at : at + n], size, outboard, start, length)
        slices.append({"start": start, "length": length, "size": len(made), "blake3": digest(made)})
    return {"size": size, "root": root.hex(), "outboard": digest(outboard), "slices": slices}


def vectors() -> str:
    return json.dumps({"cases": [case(size) for size in SIZES]}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors())
