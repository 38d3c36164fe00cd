#!/usr/bin/env bash
# "Systematic Reed-Solomon over GF(2^8), 3 of 5" does not name a code. zfec 1.6.0.0 and four back ends
# of pyeclib 1.8.0 (with its liberasurecode) keep the data in the first three shares and each compute
# other parity, so shares of one cannot be repaired with another. liberasurecode also puts an 80-byte
# header before each fragment, and rounds 61 bytes of data up to another length than ISA-L's.
# Source: zfec/fec.c (Vandermonde, inverted), liberasurecode's rs_vand, ISA-L's ec_base.c.
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet zfec==1.6.0.0 pyeclib==1.8.0
"$place/env/bin/python" - <<'PYTHON'
import zfec
from pyeclib.ec_iface import ECDriver

HEADER = 80
BACK_ENDS = ("liberasurecode_rs_vand", "isa_l_rs_vand", "isa_l_rs_cauchy", "isa_l_rs_vand_inv")
data = bytes(range(60))
blocks = [data[i : i + 20] for i in (0, 20, 40)]
parity = {"zfec": tuple(zfec.Encoder(3, 5).encode(blocks)[3:])}
for name in BACK_ENDS:
    fragments = [each[HEADER:] for each in ECDriver(k=3, m=2, ec_type=name).encode(data)]
    assert fragments[:3] == blocks
    parity[name] = tuple(fragments[3:])
for name, (first, second) in parity.items():
    print(f"{name:24}{first[:6].hex()} {second[:6].hex()}")

print(len(set(parity.values())), "different pairs of parity from", len(parity), "codes")
assert len(set(parity.values())) == len(parity)
lengths = {name: len(ECDriver(k=3, m=2, ec_type=name).encode(bytes(61))[0]) for name in BACK_ENDS}
print("fragment bytes for 61 bytes of data:", lengths)
assert lengths == {name: 102 if name == "liberasurecode_rs_vand" else 101 for name in BACK_ENDS}
PYTHON
