"""Writes `golden_chain.json`: a chain with every kind of unit, from a genesis kept in the file.

Run `python tests/ledger/make_golden_chain.py` after a deliberate change of formats or rules. With
`--genesis` it takes a new genesis too (then presets have changed).
"""

import json
import sys
from pathlib import Path

from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.mining.bodies import MinerDrain, MinerUpdate, PlotRetire
from cybervein_protocol.ledger.storage.bodies import DealClose, DealRenew, ShardLost
from cybervein_protocol.ledger.units.genesis import Genesis, decode_genesis
from cybervein_protocol.space.seed import plot_seed
from ledger_chain import Chain, genesis_of, keys

PATH = Path(__file__).with_name("golden_chain.json")


def play(genesis: Genesis) -> Chain:
    """Every kind of unit at least once, one of them void."""
    chain = Chain(genesis)
    chain.miners(a=3, b=6, c=2)
    chain.do("c", MinerUpdate(payout=keys("c new").public, url="http://c.new"))
    chain.verdict(chain.batch("c", 2), passed=False, reason="label")
    deal = chain.store_deal(5000, "a", "b", count=2, epochs=3, extra=7)
    chain.do("customer", DealRenew(deal=deal.id, epochs=2, escrow=10_000))
    left = chain.store_deal(1, "b")
    for audits in ({"a": "passed", "b": "passed"}, {"a": "wrong", "b": "verifier"}):
        chain.measure(a=3, b=6, c=2)
        chain.bandwidth(a=10**6, b=3 * 10**6, c=10**8)
        chain.audit(**audits)
        chain.close()
    shape = (chain.preset.plot_rows_log2, chain.preset.plot_layers)
    mu = plot_seed(keys("b").public, 0, *shape)
    chain.do("b", PlotRetire(plots=[mu]))
    lost = ShardLost(deal=deal.id, segment=0, index=0, from_=keys("a").public, reason="silent")
    chain.do("super", lost)
    chain.do("super", chain.move(deal, 0, "a", "c", size=5000))
    chain.do("customer", DealClose(deal=left.id))
    chain.do("b", MinerDrain(draining=True))
    chain.do("super", chain.move(deal, 1, "b", "a", size=5000))
    chain.do("b", MinerDrain(draining=False))
    pay = Transfer(to=keys("friend").public, amount=1, memo="thanks")
    chain.do("customer", pay)
    chain.void("customer", Transfer(to=bytes(32), amount=1 << 62, memo=""))
    chain.close()
    return chain


def golden(genesis: Genesis) -> dict[str, object]:
    """What the file holds."""
    chain = play(genesis)
    return {
        "genesis": encode(genesis).hex(),
        "network": cid_text(chain.machine.network),
        "app_hashes": [block.app_hash.hex() for block in chain.blocks],
        "blocks": [encode(block).hex() for block in chain.blocks],
        "units": [raw.hex() for raw in chain.units.values()],
    }


def main() -> None:
    """Write the file."""
    fresh = "--genesis" in sys.argv or not PATH.exists()
    genesis = genesis_of() if fresh else decode_genesis(bytes.fromhex(load()["genesis"]))
    PATH.write_text(json.dumps(golden(genesis), indent=1) + "\n", encoding="utf-8")


def load() -> dict[str, str]:
    """The committed file."""
    data: dict[str, str] = json.loads(PATH.read_text(encoding="utf-8"))
    return data


if __name__ == "__main__":
    main()
