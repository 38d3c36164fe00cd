"""Deals: the verification step between upload and commit."""
