"""A process that makes blocks as fast as it can and tells each once committed; to be killed."""

import json
import os
import sys
from pathlib import Path

from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import decode_block
from cybervein_protocol.ledger.units.genesis import Allocation, Genesis, SuperNode
from cybervein_protocol.ledger.units.unit import make_paid_unit
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.engine.bench import Bench

SUPER = KeyPair(b"s" * 32)
WALLET = KeyPair(b"w" * 32)
GENESIS = Genesis(
    v=1,
    chain="cybervein",
    created=1_700_000_000,
    preset=TEST,
    super_nodes=[SuperNode(key=SUPER.public, vrf=b"v" * 32, seal=b"x" * 32, url="http://x")],
    accounts=[Allocation(key=WALLET.public, balance=10**15)],
    roots=[b"a" * 32, b"b" * 32],
)


def described(raw: bytes) -> dict[str, object]:
    """What is told about a block."""
    block = decode_block(raw)
    return {
        "height": block.height,
        "app_hash": block.app_hash.hex(),
        "units": [cid_text(unit) for unit in block.units],
    }


def main(directory: Path) -> None:
    chain = Chain(directory / "ledger.sqlite", GENESIS)
    bench = Bench(chain, SUPER, TEST)
    nonce = chain.machine.next_nonce(WALLET.public)
    while True:
        for _ in range(3):
            body = Transfer(to=nonce.to_bytes(32, "big"), amount=1, memo="")
            unit = make_paid_unit(
                chain.machine.network,
                body,
                parents=bench.parents,
                key=WALLET,
                nonce=nonce,
                preset=TEST,
            )
            bench.admit(encode(unit))
            nonce += 1
        made = bench.produce()
        assert made is not None
        line = json.dumps(described(encode(made[0].block))) + "\n"
        os.write(1, line.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
