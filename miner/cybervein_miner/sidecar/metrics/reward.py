"""What a miner earns and what of it is bonded, by the ledger."""

from typing import Final

from cybervein_miner.sidecar.metric import SUPER_NODE, at, counter, gauge

REWARD: Final = (
    counter("rewards_veins", SUPER_NODE, "Rewards minted for this miner since registration.",
            at("miner.rewards")),
    counter("storage_fees_veins", SUPER_NODE, "Storage fees paid to this miner.",
            at("miner.fees")),
    counter("penalties_veins", SUPER_NODE, "Bond lost to penalties.", at("miner.penalties")),
    gauge("bonded_veins", SUPER_NODE, "Bond held for this miner's plots.", at("miner.bonded")),
    gauge("bond_due_veins", SUPER_NODE, "Bond still to be filled from rewards.",
          at("miner.bond_due")),
    gauge("payout_balance_veins", SUPER_NODE, "Balance of the payout account.",
          at("payout.balance")),
)  # fmt: skip
