"""Bandwidth: unannounced, timed, verified reads of what miners must hold."""
