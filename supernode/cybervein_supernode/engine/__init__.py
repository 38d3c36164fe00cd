"""Who orders: the port that says what an engine is, and `solo`, one process, behind it."""
