"""Intake: space proofs and commit responses, judged at once and off the event loop."""
