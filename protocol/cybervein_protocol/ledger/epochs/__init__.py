"""The end of an epoch: pay, and the next beacon."""
