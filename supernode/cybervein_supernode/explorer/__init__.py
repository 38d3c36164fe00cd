"""The explorer page: static files, no external assets, live by server-sent events."""
