"""Placement: who is live with how much room, and which shard goes where."""
