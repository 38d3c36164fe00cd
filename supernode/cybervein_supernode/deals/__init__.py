"""Deals: where new shards may go, and the verification between upload and commit."""
