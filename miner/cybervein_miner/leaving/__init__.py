"""Relief: a miner that was asked to drain, and disks on their way out.

Nothing is given up before the ledger, and every open deal, can do without it here.
"""
