"""The solo engine: one process orders, executes and finalises units over SQLite."""
