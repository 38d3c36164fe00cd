"""Judging: what proofs and evidence say, now and when a chain is replayed."""
