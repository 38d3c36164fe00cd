"""Repair: shards that are gone, or whose miner goes, get a new home at the same index."""
