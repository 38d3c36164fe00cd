"""Possession audits of what miners hold for customers."""
