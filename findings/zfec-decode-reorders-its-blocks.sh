#!/usr/bin/env bash
# zfec 1.6.0.0 (PyPI): Decoder.decode(blocks, sharenums) puts data blocks into their own places
# before it decodes, and does so in the sequence that it was given, a tuple included. The numbers
# stay as they were, so the same two arguments no longer belong together: a second call with them
# returns other bytes, without an error.
# Source: zfec/_fecmodule.c, Decoder_decode (it swaps in the arrays behind PySequence_Fast).
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet zfec==1.6.0.0
"$place/env/bin/python" - <<'PYTHON'
import zfec

data = [b"first", b"other", b"third"]
shares = zfec.Encoder(3, 5).encode(data)
for kind in (list, tuple):
    blocks, numbers = kind([shares[4], shares[0], shares[1]]), kind([4, 0, 1])
    assert zfec.Decoder(3, 5).decode(blocks, numbers) == data
    print(f"{kind.__name__}: numbers {numbers}, blocks are now those of",
          [shares.index(each) for each in blocks])
    assert tuple(numbers) == (4, 0, 1)
    assert tuple(blocks) == (shares[0], shares[1], shares[4])
    again = zfec.Decoder(3, 5).decode(blocks, numbers)
    print(f"{kind.__name__}: decoded again with the same arguments, the data is right:", again == data)
    assert again != data
PYTHON
