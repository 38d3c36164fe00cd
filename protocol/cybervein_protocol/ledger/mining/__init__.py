"""Miners: identities, plots under bond, measured contribution."""
