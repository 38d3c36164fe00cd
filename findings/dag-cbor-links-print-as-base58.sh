#!/usr/bin/env bash
# dag-cbor 0.3.3 with multiformats 0.3.1.post4 (PyPI): a link that was written in base32 comes back
# from DAG-CBOR as a CID of version 1 that prints in base58btc (z...), while the CID specification's
# default for version 1, and what other tools print, is base32 (b...). The two compare as equal, so only
# text (logs, file names, URLs, keys of JSON) differs. A text must name its base.
# Source: multiformats' CID.decode: bytes carry no base, and its default is base58btc.
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet dag-cbor==0.3.3 multiformats==0.3.1.post4
"$place/env/bin/python" - <<'PYTHON'
import dag_cbor
from multiformats import CID

link = CID("base32", 1, "raw", ("sha2-256", bytes(32)))
back = dag_cbor.decode(dag_cbor.encode(link))
print("written:  ", link)
print("read back:", back)
print("equal:    ", link == back)
assert link == back
assert str(link).startswith("b") and str(back).startswith("z")
assert str(back.set(base="base32")) == str(link)
PYTHON
