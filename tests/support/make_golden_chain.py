"""Writes the golden chains: every kind of unit, from a genesis kept in the file.

| file | blocks |
|---|---|
| `golden_chain.json` | of rules 1, as 0.2.0 wrote them: it never changes |
| `golden_upgrade.json` | of rules 1, then of rules 2 from the middle of an epoch on |
| `golden_rules_2.json` | of rules 2 |

Run `python tests/support/make_golden_chain.py` after a deliberate change of formats or rules. With
`--genesis` it takes a new genesis too (then presets have changed).
"""

import json
import sys
from pathlib import Path

from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import Rules
from cybervein_protocol.ledger.mining.bodies import MinerDrain, MinerUpdate, PlotRetire
from cybervein_protocol.ledger.storage.bodies import DealClose, DealRenew, ShardLost
from cybervein_protocol.ledger.units.genesis import Genesis, decode_genesis
from cybervein_protocol.space.seed import plot_seed
from ledger_chain import Chain, genesis_of, keys

FILES: dict[str, tuple[Rules, Rules]] = {
    "golden_chain": (1, 1),
    "golden_upgrade": (1, 2),
    "golden_rules_2": (2, 2),
}
"""Rules of the first half, and of the second."""


def play(genesis: Genesis, first: Rules, second: Rules) -> Chain:
    """Every kind of unit at least once, one of them void."""
    chain = Chain(genesis, rules=first)
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
    chain.rules = second
    chain.do("b", MinerDrain(draining=True))
    chain.do("super", chain.move(deal, 1, "b", "a", size=5000))
    chain.do("b", MinerDrain(draining=False))
    pay = Transfer(to=keys("friend").public, amount=1, memo="thanks")
    chain.do("customer", pay)
    chain.void("customer", Transfer(to=bytes(32), amount=1 << 62, memo=""))
    chain.close()
    return chain


def golden(name: str, genesis: Genesis) -> dict[str, object]:
    """What a file holds."""
    chain = play(genesis, *FILES[name])
    return {
        "genesis": encode(genesis).hex(),
        "network": cid_text(chain.machine.network),
        "app_hashes": [block.app_hash.hex() for block in chain.blocks],
        "blocks": [encode(block).hex() for block in chain.blocks],
        "units": [raw.hex() for raw in chain.units.values()],
    }


def main() -> None:
    """Write the files."""
    fresh = "--genesis" in sys.argv
    old = "golden_chain"
    genesis = genesis_of() if fresh else decode_genesis(bytes.fromhex(load(old)["genesis"]))
    for name in FILES:
        path_of(name).write_text(json.dumps(golden(name, genesis), indent=1) + "\n", "utf-8")


def path_of(name: str) -> Path:
    """Where a golden chain lies."""
    return Path(__file__).parents[1] / "ledger" / f"{name}.json"


def load(name: str) -> dict[str, str]:
    """A committed file."""
    data: dict[str, str] = json.loads(path_of(name).read_text(encoding="utf-8"))
    return data


if __name__ == "__main__":
    main()
