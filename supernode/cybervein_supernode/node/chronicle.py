"""What is told of each block: counters, live events, and what the notebook may forget."""

import asyncio

from cybervein_protocol.api.super_node.events import BlockEvent, DealEvent, EpochEvent
from cybervein_protocol.encoding import cid_root, cid_text
from cybervein_protocol.ledger.mining.bodies import MinerRegister, MinerUpdate
from cybervein_protocol.ledger.storage.bodies import DealClose, DealCommit, DealOpen
from cybervein_protocol.ledger.units.events import EpochClosed
from cybervein_protocol.signing import address

from cybervein_supernode.chain.store import CommittedBlock
from cybervein_supernode.desk.events import EventHub
from cybervein_supernode.desk.notebook import Notebook
from cybervein_supernode.desk.tally import DutyTally


class Chronicle:
    """Follows the chain; `app_hash` is that of the last block.

    `miners_changed` is set by a block that registers a miner or moves one.
    """

    def __init__(
        self, app_hash: bytes, hub: EventHub, notebook: Notebook, tally: DutyTally
    ) -> None:
        self.app_hash, self.miners_changed = app_hash, asyncio.Event()
        self._hub = hub
        self._notebook = notebook
        self._tally = tally

    def note(self, made: CommittedBlock) -> None:
        """Count and tell it; on the event loop, after each commit."""
        block = made.block
        self.app_hash = block.app_hash
        self._tally.add("blocks")
        for parsed in made.units:
            self._tally.add("units", parsed.unit.kind)
            if isinstance(parsed.body, MinerRegister | MinerUpdate):
                self.miners_changed.set()
        self._tally.add("void_units", amount=len(block.voids))
        self._hub.publish(
            BlockEvent(
                height=block.height,
                epoch=block.epoch,
                units=len(block.units),
                voids=len(block.voids),
                kinds=sorted({parsed.unit.kind for parsed in made.units}),
                app_hash=block.app_hash.hex(),
            )
        )
        self._tell_more(made)

    def _tell_more(self, made: CommittedBlock) -> None:
        """Deals and epochs have events of their own."""
        void = {entry.unit for entry in made.block.voids}
        for parsed in made.units:
            if isinstance(parsed.body, DealOpen | DealCommit | DealClose) and parsed.id not in void:
                deal = parsed.id if isinstance(parsed.body, DealOpen) else parsed.body.deal
                if not isinstance(parsed.body, DealOpen):
                    self._notebook.forget_deal(cid_root(deal))
                owner = address(parsed.unit.issuer)
                event = DealEvent(deal=cid_text(deal), what=parsed.unit.kind, owner=owner)
                self._hub.publish(event)
        for happened in made.result.events:
            if isinstance(happened, EpochClosed):
                self._hub.publish(
                    EpochEvent(
                        epoch=happened.epoch,
                        minted=happened.minted,
                        weight=happened.weight,
                        beacon=happened.next_beacon.hex(),
                    )
                )
