"""Founding a network and serving it: the process."""
