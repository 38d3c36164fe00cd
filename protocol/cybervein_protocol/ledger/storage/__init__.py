"""Customers' data: deals, where their shards are, who is paid for them."""
