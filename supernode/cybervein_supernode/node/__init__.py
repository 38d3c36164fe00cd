"""One super node: its files, its parts, put together."""
