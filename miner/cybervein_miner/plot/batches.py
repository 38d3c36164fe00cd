"""Batches on the ledger: registering new plots, following verdicts, retiring.

The ledger is the truth and the inventory follows it. A batch's unit is written down before it is
sent, so that a crash at any moment neither loses a batch nor sends one twice.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.miners import BatchDocument, FullMinerDocument
from cybervein_protocol.encoding import (
    cid_root,
    cid_text,
    decode,
    encode,
    from_map,
    node_cid,
    parse_cid,
)
from cybervein_protocol.errors import ConflictError, UnknownError
from cybervein_protocol.ledger.mining.bodies import NO_ANSWER, PlotBatch, PlotEntry, PlotRetire
from cybervein_protocol.ledger.units.unit import Unit, unit_id
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset
from multiformats import CID

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.chain.units import UnitWriter
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch this miner sent: its unit's CID and its plots in the unit's order."""

    id: CID
    plots: tuple[PlotEntry, ...]


class Batches:
    """Keeps inventory and ledger in step."""

    def __init__(
        self, inventory: Inventory, super_node: MinersSuperNode, units: UnitWriter, preset: Preset
    ) -> None:
        self._inventory, self._super_node = inventory, super_node
        self._units, self._preset = units, preset
        self._undecided: set[bytes] = set()  # batches that wait for a verdict: nothing retires

    def follow(self, miner: FullMinerDocument) -> None:
        """Take over the ledger's states of batches."""
        self._undecided = {
            cid_root(parse_cid(view.batch, "batch"))
            for view in miner.batches
            if view.state == "pending"
        }
        for view in miner.batches:
            digest = cid_root(parse_cid(view.batch, "batch"))
            rows = [row for row in self._inventory.rows() if row.batch == digest]
            self._follow(view, digest, rows)

    def _follow(self, view: BatchDocument, digest: bytes, rows: Sequence[OwnPlot]) -> None:
        live = [r for r in rows if r.state in {PlotState.SENT, PlotState.PENDING, PlotState.ACTIVE}]
        if view.state == "pending":
            self._move(live, PlotState.PENDING, digest, 0)
        elif view.state == "active":
            if any(row.state is not PlotState.ACTIVE for row in live):
                _log.info("plots count", plots=len(live), from_epoch=view.counts_from)
            self._move(live, PlotState.ACTIVE, digest, view.counts_from)
        elif view.reason == NO_ANSWER:
            self._move(live, PlotState.MADE, None, 0)
        elif live:
            _log.error("a batch is void; its plots are kept aside", reason=view.reason)
            self._move(live, PlotState.VOID, digest, 0)

    def _move(
        self, rows: Sequence[OwnPlot], state: PlotState, batch: bytes | None, since: int
    ) -> None:
        changed = [row for row in rows if (row.state, row.since_epoch) != (state, since)]
        if changed:
            self._inventory.set_state(changed, state, batch, since)

    async def settle_sent(self) -> None:
        """Find out about batches whose answer was never heard; send again what never arrived."""
        for digest in {r.batch for r in self._inventory.rows(PlotState.SENT) if r.batch}:
            unit = self._unit(digest)
            fate = await self._super_node.unit(cid_text(unit_id(unit)))
            rows = [r for r in self._inventory.rows(PlotState.SENT) if r.batch == digest]
            if fate is None or fate.status == "void":
                self._inventory.set_state(rows, PlotState.MADE, None)
            elif fate.status == "final":
                self._inventory.set_state(rows, PlotState.PENDING, digest)

    async def register(self, *, final_round: bool, miner: FullMinerDocument) -> None:
        """Send one batch of made plots: a full one, or what there is if no more is coming."""
        balance = (await self._super_node.own_account()).balance
        made = filter(self._inventory.stays, self._inventory.rows(PlotState.MADE))
        rows = list(made)[: self._most(miner, balance)]
        if not rows or not (final_round or len(rows) >= self._preset.batch_plots_max):
            return
        bond = Veins(min(balance, max(0, self._due(miner, len(rows)))))
        plots = [PlotEntry(index=r.number, kappa=r.kappa, gamma=r.gamma) for r in rows]
        unit = await self._units.draft(PlotBatch(plots=plots, bond=bond))
        self._remember(unit, rows)
        try:
            await self._units.send(unit)
        except ConflictError:
            self._inventory.set_state(rows, PlotState.MADE, None)
            raise
        self._inventory.set_state(rows, PlotState.PENDING, cid_root(unit_id(unit)))
        paid = coins(bond, self._preset.coin_decimals)
        _log.info("plots are registered; a commit audit follows", plots=len(rows), bond_coins=paid)

    def _most(self, miner: FullMinerDocument, balance: int) -> int:
        """Plots of one batch at most: the preset's limit, and bonds paid or due within theirs."""
        each = self._preset.bond_per_plot_veins
        room = self._preset.bond_due_plots_max * each + balance - self._due(miner, 0)
        return max(0, min(self._preset.batch_plots_max, room // each if each else 1 << 32))

    def _due(self, miner: FullMinerDocument, more: int) -> int:
        """Veins of bond due once `more` plots are live; negative where held shards keep more."""
        return (miner.plots + more) * self._preset.bond_per_plot_veins - miner.bonded

    def _remember(self, unit: Unit, rows: Sequence[OwnPlot]) -> None:
        digest = cid_root(unit_id(unit))
        row = (digest, encode(unit), "sent", 0, 0)
        values = [(PlotState.SENT, digest, each.number) for each in rows]

        def work(connection: sqlite3.Connection) -> None:
            # The same unit may be drafted again: one that was forgotten before its block.
            connection.execute("INSERT OR REPLACE INTO batch VALUES (?, ?, ?, ?, ?)", row)
            sql = "UPDATE plot SET state = ?, batch = ? WHERE number = ?"
            connection.executemany(sql, values)

        self._inventory.journal.write_now(work)

    def _unit(self, digest: bytes) -> Unit:
        found = self._inventory.journal.read("SELECT unit FROM batch WHERE id = ?", (digest,))
        if not found:
            raise UnknownError(
                f"batch {digest.hex()[:16]} is not in the journal and no super node has it: it "
                "ends without an answer, and its plots are registered again"
            )
        return decode(found[0][0], Unit, "own batch", self._preset.unit_bytes_max)

    def batch(self, digest: bytes) -> Batch:
        """A batch that this miner sent."""
        unit = self._unit(digest)
        body = from_map(unit.body, PlotBatch, "own batch")
        return Batch(node_cid(encode(unit)), tuple(body.plots))

    async def rest(self, *, everything: bool) -> None:
        """Make plots of leaving disks (or all) stop counting; their files stay as they are.

        They are registered again once their disk, or the miner, is to stay after all.
        """
        rows = [
            row
            for row in self._inventory.rows(PlotState.ACTIVE)
            if (everything or not self._inventory.stays(row)) and row.batch not in self._undecided
        ][: self._preset.batch_plots_max]
        await self._retire(rows, PlotState.MADE)

    async def retire(self) -> int:
        """Make leaving plots stop counting, then delete them; how many went.

        A verdict that came after its disk was forgotten leaves a row without a file: it goes too.
        """
        leaving = self._inventory.rows(PlotState.RETIRING, PlotState.BAD)
        counted = [row for row in leaving if row.batch not in {None, *self._undecided}]
        await self._retire(counted[: self._preset.batch_plots_max], PlotState.RETIRING)
        gone = [
            row
            for row in self._inventory.rows(PlotState.RETIRING, PlotState.BAD)
            if row.batch is None
        ]
        orphans = self._inventory.rows(PlotState.MADE, PlotState.VOID)
        gone += filter(self._inventory.forgotten, orphans)
        await asyncio.to_thread(self._inventory.drop, gone)
        return len(gone)

    async def _retire(self, rows: Sequence[OwnPlot], then: PlotState) -> None:
        """One unit for all; where the ledger refuses that, one for each."""
        if not rows:
            return
        try:
            body = PlotRetire(plots=[row.mu for row in rows])
            await self._units.write(body)
        except ConflictError as error:
            if len(rows) > 1:
                for row in rows:
                    await self._retire([row], then)
                return
            _log.info("plot is not live on the ledger", plot=rows[0].number, error=str(error))
        self._inventory.set_state(rows, then, None)
