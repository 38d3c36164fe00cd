"""What the engine's one thread works on: the chain, the mempool, and this super node's own units.

Every method runs in that thread, one after another, so none needs a lock.
"""

import time
from collections.abc import Callable

from cybervein_protocol.encoding import encode
from cybervein_protocol.ledger.state.rows import ACCOUNTS
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.unit import ParsedUnit, make_unit
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import KeyPair
from multiformats import CID

from cybervein_supernode.chain.store import Chain, CommittedBlock
from cybervein_supernode.engine.mempool import Mempool
from cybervein_supernode.engine.port import Inclusion


class Bench:
    """Admit, make, produce, expire."""

    def __init__(
        self,
        chain: Chain,
        key: KeyPair,
        preset: Preset,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chain = chain
        self._key = key
        self._preset = preset
        self._monotonic = monotonic
        self._mempool = Mempool()
        self.parents = chain.tips.parents()

    def admit(self, raw: bytes) -> ParsedUnit:
        """Check somebody's unit against state and limits, and queue it."""
        parsed = self._chain.machine.check_tx(raw, self._mempool)
        self._mempool.add(parsed, self._monotonic())
        return parsed

    def make(self, body: Body) -> ParsedUnit:
        """Sign a unit of this super node under its next nonce, and queue it."""
        account = self._chain.rows.find(ACCOUNTS, self._key.public)
        nonce = (account.nonce if account else 0) + self._mempool.of_issuer(self._key.public)
        network = self._chain.machine.network
        unit = make_unit(
            network, body, parents=self.parents, key=self._key, nonce=nonce, fee=Veins(0)
        )
        return self.admit(encode(unit))

    def produce(self) -> tuple[CommittedBlock, list[Inclusion]] | None:
        """Execute what waits as the next block; None if nothing of it can go in yet."""
        waiting = self._mempool.units()
        units = self._chain.machine.prepare(waiting)[: self._preset.block_units_max]
        if not units:
            return None
        block = self._chain.execute(units, self._key)
        self._mempool.remove(block.block.units)
        self.parents = self._chain.tips.parents()
        return block, _inclusions(block)

    def expire(self) -> list[CID]:
        """Drop what found no block for too long, or whose nonce another unit has used."""
        nonce_of = self._chain.machine.next_nonce
        late = self._mempool.expired(self._monotonic())
        used = [p.id for p in self._mempool.units() if p.unit.nonce < nonce_of(p.unit.issuer)]
        gone = list(dict.fromkeys([*late, *used]))
        self._mempool.remove(gone)
        return gone

    def close(self) -> None:
        """Close the chain's file."""
        self._chain.close()


def _inclusions(made: CommittedBlock) -> list[Inclusion]:
    codes = {void.unit: void.code for void in made.block.voids}
    reasons = made.result.reasons
    return [
        Inclusion(unit, made.block.height, codes.get(unit, ""), reasons.get(unit, ""))
        for unit in made.block.units
    ]
