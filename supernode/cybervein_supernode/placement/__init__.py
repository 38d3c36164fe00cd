"""Placement: who is live with how much room, and who shares a failure domain."""
