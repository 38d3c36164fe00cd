"""What a miner earns in a day, by the ledger's own record of its last closed epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

DAY_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Earnings:
    """Veins a day: rewards of mining, and fees of customers."""

    rewards: Veins
    fees: Veins

    def part(self, plots: float, shards: float) -> Veins:
        """What a share of the plots (0 to 1) and of the shards' bytes (0 to 1) earns a day."""
        return Veins(round(self.rewards * plots + self.fees * shards))


def earned_per_day(past: Sequence[PastContribution], preset: Preset) -> Earnings | None:
    """The mean of the closed epochs that the ledger lists; None before there is one."""
    if not past:
        return None
    epochs_per_day = DAY_SECONDS / preset.epoch_seconds / len(past)
    return Earnings(
        rewards=Veins(round(sum(each.reward for each in past) * epochs_per_day)),
        fees=Veins(round(sum(each.fees for each in past) * epochs_per_day)),
    )


def in_coins(veins: int, preset: Preset) -> str:
    """An estimate as people read it: four places are plenty."""
    places = max(0, preset.coin_decimals - 4)
    return coins(round(veins, -places), preset.coin_decimals)
