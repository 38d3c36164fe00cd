"""What a running miner does on its own, one round after the other: ledger, upkeep, scrub, leaving.

What fails in a round is said and tried again in the next.
"""
