#!/usr/bin/env bash
# multiformats 0.3.1.post4 (PyPI): multihash.digest(data, "blake3") is an error, as BLAKE3 has no length
# of its own in the multicodec table; the same call with "sha2-256" needs none. With size=32 it gives
# b3sum's digest under the prefix 1e20.
# Source: multiformats' multihash module (implementations of hashes without a maximum digest size).
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet multiformats==0.3.1.post4 blake3==1.0.11
"$place/env/bin/python" - <<'PYTHON'
import blake3
from multiformats import multihash

print("sha2-256:", multihash.digest(b"shard", "sha2-256").hex())
try:
    multihash.digest(b"shard", "blake3")
except ValueError as error:
    print("blake3:", error)
else:
    raise SystemExit("blake3 has a length now")
sized = multihash.digest(b"shard", "blake3", size=32)
print("blake3, size=32:", sized.hex())
assert sized == bytes.fromhex("1e20") + blake3.blake3(b"shard").digest()
PYTHON
