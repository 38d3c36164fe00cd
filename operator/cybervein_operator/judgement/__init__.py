"""What to do, decided by pure functions of what was observed: no cluster, no clock, no chance."""
