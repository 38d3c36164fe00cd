"""Doing what `recovery` found: plots get the ledger's batch, or lose one that it does not know."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial

import structlog
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_root, cid_text, decode, node_cid
from cybervein_protocol.errors import ConflictError, ProofError
from cybervein_protocol.ledger.mining.bodies import PlotRetire
from cybervein_protocol.ledger.units.unit import Unit
from cybervein_protocol.presets import Preset
from cybervein_protocol.space import plot_seed

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.chain.units import UnitWriter
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState

_LEAVING = (PlotState.RETIRING, PlotState.BAD)
_log = structlog.get_logger()


def _put_batch(db: sqlite3.Connection, row: tuple[object, ...]) -> None:
    db.execute("INSERT OR REPLACE INTO batch VALUES (?, ?, ?, ?, ?)", row)


class Takeover:
    """Brings the inventory in step with a ledger that knows more."""

    def __init__(
        self, inventory: Inventory, super_node: MinersSuperNode, units: UnitWriter, preset: Preset
    ) -> None:
        self._inventory, self._super_node = inventory, super_node
        self._units, self._preset = units, preset

    async def fetch(self, digests: Iterable[bytes]) -> None:
        """Take these batches' units from the chain, as their verdicts are still to be answered."""
        for digest in digests:
            cid = digest_cid(digest)
            raw = await self._super_node.unit_bytes(cid_text(cid), self._preset.unit_bytes_max)
            if node_cid(raw) != cid:
                raise ProofError(f"{self._super_node.url}: unit {cid_text(cid)} is another's bytes")
            decode(raw, Unit, "own batch", self._preset.unit_bytes_max)
            row = (cid_root(cid), raw, "sent", 0, 0)
            self._inventory.journal.write_now(partial(_put_batch, row=row))

    def adopt(self, theirs: Sequence[tuple[OwnPlot, bytes]]) -> None:
        """Each plot is in that batch; one that is on its way out stays so, and is retired first."""
        for row, batch in theirs:
            state = row.state if row.state in _LEAVING else PlotState.PENDING
            self._inventory.set_state([row], state, batch)

    def unlist(self, rows: Sequence[OwnPlot]) -> None:
        """The ledger has these in no batch any more."""
        for row in rows:
            state = row.state if row.state in _LEAVING else PlotState.MADE
            self._inventory.set_state([row], state, None)

    async def retire(self, numbers: Sequence[int]) -> None:
        """Plots of which there is no file stop counting."""
        shape, miner = self._inventory.shape, self._inventory.miner
        some = numbers[: self._preset.batch_plots_max]
        mus = [plot_seed(miner, number, shape.b, shape.k) for number in some]
        try:
            await self._units.write(PlotRetire(plots=mus))
        except ConflictError as error:
            _log.info("plots without files are not retired yet", error=str(error))
