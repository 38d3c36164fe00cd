"""What every duty is given, and where it notes what it saw."""
