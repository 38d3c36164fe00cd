"""Repair: shards that are gone are rebuilt at the same index on another miner."""
