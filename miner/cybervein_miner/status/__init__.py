"""What a miner tells of itself: the status document and the three probes. Changes nothing."""
