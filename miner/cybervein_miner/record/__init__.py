"""What a miner writes down: the journal (durable), the tally (since the start), trees over files.

Imports nothing else of the miner.
"""
