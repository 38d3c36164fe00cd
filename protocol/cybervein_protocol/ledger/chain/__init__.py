"""Blocks: which units, in which order, with which effect."""
