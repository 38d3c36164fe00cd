"""The ledger as the miner sees it, through a super node's HTTP interface.

`super_node` asks and posts, `clock` keeps the network's time, `units` writes the miner's own units.
"""
