"""Work: one queue of keys, each reconciled by one worker at a time."""
