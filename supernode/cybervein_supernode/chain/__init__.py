"""What is on disk: blocks, units, state rows, and how they are read."""
