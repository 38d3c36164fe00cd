#!/usr/bin/env bash
# libipld 3.5.0 (PyPI) decodes a DAG-CBOR link (tag 42) to plain bytes. A link and a byte string with
# the same 36 bytes become equal values, and encoding what was decoded gives other bytes: the link has
# become a byte string, and the document another CID.
# Source: libipld's README and src/lib.rs: CIDs are given as bytes.
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet libipld==3.5.0 dag-cbor==0.3.3 multiformats==0.3.1.post4
"$place/env/bin/python" - <<'PYTHON'
import dag_cbor
import libipld
from multiformats import CID

link = CID("base32", 1, "raw", ("sha2-256", bytes(32)))
document = dag_cbor.encode({"bytes": bytes(link), "link": link})
decoded = libipld.decode_dag_cbor(document)
print("types:", {key: type(value).__name__ for key, value in decoded.items()})
print("link equals bytes:", decoded["link"] == decoded["bytes"])
again = libipld.encode_dag_cbor(decoded)
print("encoded again, the document is the same:", again == document, f"({len(document)} and {len(again)} bytes)")
assert decoded["link"] == decoded["bytes"] == bytes(link)
assert again != document
assert dag_cbor.encode(dag_cbor.decode(document)) == document
PYTHON
