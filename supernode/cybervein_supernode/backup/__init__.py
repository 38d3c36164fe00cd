"""Copies of the ledger elsewhere: taken while it runs, verified, and put back after a loss."""
