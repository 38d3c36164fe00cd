"""What the ledger remembers: rows, overlays, and the tree that commits to them."""
