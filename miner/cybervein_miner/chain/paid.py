"""What the ledger paid this miner in the last closed epochs.

Each one that paid is a line of the log; why one paid nothing is a line when that changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

from cybervein_miner.chain.earnings import earned_per_day, in_coins
from cybervein_miner.chain.unpaid import why_unpaid

EPOCHS: Final = 24
_log = structlog.get_logger()


@dataclass(slots=True)
class PaidEpochs:
    """`past` are closed epochs, newest first, as the ledger has them."""

    preset: Preset
    past: tuple[PastContribution, ...] = ()
    _unpaid: str = ""

    def see(self, past: Sequence[PastContribution], batches: Sequence[BatchDocument] = ()) -> None:
        """Take over the last epochs; `batches` of this miner say why one paid nothing."""
        known = self.past[0].epoch if self.past else -1
        self.past = tuple(past)
        if past and past[0].epoch > known:
            self._tell(past[0], batches)

    def _tell(self, entry: PastContribution, batches: Sequence[BatchDocument]) -> None:
        why = "" if entry.reward + entry.fees else why_unpaid(entry, batches)
        before, self._unpaid = self._unpaid, why
        if not why:
            self._tell_coins(entry)
        elif why != before:  # a reason that stays is no event of each epoch
            _log.info("epoch paid nothing", epoch=entry.epoch, why=why)

    def _tell_coins(self, entry: PastContribution) -> None:
        places = self.preset.coin_decimals
        _log.info(
            "epoch is paid",
            epoch=entry.epoch,
            coins=coins(entry.reward + entry.fees, places),
            reward=coins(entry.reward, places),
            fees=coins(entry.fees, places),
            into_bond=coins(entry.bond_filled, places),
            a_day=in_coins(self.per_day() or 0, self.preset),
        )

    def per_day(self) -> Veins | None:
        """Veins in a day at the mean of these epochs, bond included; None before the first."""
        earned = earned_per_day(self.past, self.preset)
        return None if earned is None else Veins(earned.rewards + earned.fees)
