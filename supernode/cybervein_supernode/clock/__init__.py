"""Time: the epoch timeline and the driver that closes epochs."""
