"""Writes zfec_vectors.json with the `zfec` package, a development dependency that never ships.

`.venv/bin/python tests/coding/generate_zfec_vectors.py`. Shares stand as their SHA-256. The blocks
are cut from the bytes 0..250 over and over.
"""

import hashlib
import json
import sys
from pathlib import Path

import zfec

FILE = Path(__file__).parent / "zfec_vectors.json"
CODES = (
    (1, 1), (1, 3), (2, 2), (2, 3), (2, 6), (3, 5), (4, 12), (7, 9), (8, 21), (16, 40), (128, 256),
)  # fmt: skip
LENGTHS = (1, 255, 256, 257, 4096 + 333)


def blocks(k: int, length: int) -> list[bytes]:
    return [bytes((i * length + at) % 251 for at in range(length)) for i in range(k)]


def case(k: int, n: int, length: int) -> dict[str, object]:
    shares = zfec.Encoder(k, n).encode(blocks(k, length))
    digests = [hashlib.sha256(share).hexdigest() for share in shares]
    whole = hashlib.sha256("".join(digests).encode()).hexdigest()
    return {"k": k, "n": n, "length": length, "shares": whole}


def vectors() -> str:
    cases = [case(k, n, length) for k, n in CODES for length in LENGTHS]
    return json.dumps({"cases": cases}, indent=1) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(vectors())
    else:
        FILE.write_text(vectors())
