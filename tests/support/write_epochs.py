"""Writes a ledger of some epochs with whatever release of CyberVein is imported, and dumps it.

    PYTHONPATH=SOURCES... python write_epochs.py tests/ledger/golden_chain.json FILE.sql

The chain is the golden one without its last block, so its last epoch is open and has units. It is
executed by the release's own `Chain`, which must sign every block as it stands in the file.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from blake3 import blake3
from cybervein_protocol.encoding import encode, node_cid
from cybervein_protocol.signing import KeyPair
from write_stores import Chain, _any, _ledger, dump, parse_unit

decode_genesis = _ledger("decode_genesis", "units.genesis", "genesis")
decode_block = _any(
    "cybervein_protocol.ledger.chain.block:decode_block",
    "cybervein_protocol.ledger.block:decode_block",
)

SUPER = KeyPair(blake3(b"super").digest())
SUPER_VRF = blake3(b"super vrf").digest()


def genesis_of(golden: dict[str, Any]) -> Any:
    """The genesis of the golden chain."""
    return decode_genesis(bytes.fromhex(golden["genesis"]))


def write_epochs(path: Path, golden: dict[str, Any]) -> None:
    """Execute all blocks but the last. Raises ValueError where this release signs another block."""
    genesis = genesis_of(golden)
    chain = Chain(path, genesis)
    raws = (bytes.fromhex(text) for text in golden["units"])
    units = {node_cid(raw): raw for raw in raws}
    for text in golden["blocks"][:-1]:
        most = genesis.preset.unit_bytes_max
        wanted = decode_block(bytes.fromhex(text))
        parsed = [parse_unit(units[unit], chain.machine.network, most) for unit in wanted.units]
        if encode(chain.execute(parsed, SUPER).block).hex() != text:
            raise ValueError(f"block {wanted.height}: this release signs another one")
    chain.close()


def main(source: Path, target: Path) -> None:
    """The dump of the ledger."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        write_epochs(path, json.loads(source.read_text(encoding="utf-8")))
        target.write_text(dump(path), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
