"""What was seen: of each object in the cluster a few facts, found by name, pool and node."""
