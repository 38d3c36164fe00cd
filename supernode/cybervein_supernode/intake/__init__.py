"""Intake: space proofs and commit responses, taken in and judged off the event loop."""
