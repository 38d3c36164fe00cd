"""A network's own certificate authority, and the super node's certificate under it."""
