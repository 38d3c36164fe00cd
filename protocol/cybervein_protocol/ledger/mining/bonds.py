"""Bonds: what a miner stands to lose, and how much of it is due, locked or free.

Each live plot needs a bond. What is not paid at registration is due and taken from rewards first.
A bond also covers the bandwidth cost of moving the shards a miner holds, should it vanish.
"""

from msgspec.structs import replace

from cybervein_protocol.ledger.accounts.fees import commission, ingress_fee
from cybervein_protocol.ledger.accounts.money import count, credit
from cybervein_protocol.ledger.state.overlay import Overlay
from cybervein_protocol.ledger.state.rows import MinerRow
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset


def required(row: MinerRow, preset: Preset) -> Veins:
    """Veins that the miner's live plots need."""
    return Veins(row.plots_live * preset.bond_per_plot_veins)


def bond_due(row: MinerRow, preset: Preset) -> Veins:
    """Veins still missing, to be withheld from rewards."""
    return Veins(max(0, required(row, preset) - row.bonded))


def burn(state: Overlay, row: MinerRow, amount: Veins) -> tuple[MinerRow, Veins]:
    """(miner, veins burnt): at most what is bonded."""
    burnt = min(row.bonded, amount)
    count(state, bonded=-burnt, burnt=burnt)
    return replace(row, bonded=row.bonded - burnt), burnt


def free(state: Overlay, row: MinerRow, preset: Preset) -> MinerRow:
    """The miner after what neither plots nor held shards need went back to its payout account."""
    locked = max(required(row, preset), ingress_fee(row.held_kib, preset))
    excess = Veins(max(0, row.bonded - locked))
    if not excess:
        return row
    count(state, bonded=-excess)
    credit(state, row.payout, excess)
    return replace(row, bonded=row.bonded - excess)


def pay_fee(state: Overlay, row: MinerRow, amount: Veins, preset: Preset) -> MinerRow:
    """The miner after a storage fee: commission burnt, the rest to its payout account.

    The caller counts where the veins came from.
    """
    burnt = commission(amount, preset)
    count(state, burnt=burnt)
    credit(state, row.payout, Veins(amount - burnt))
    return replace(row, fees=row.fees + amount - burnt)
