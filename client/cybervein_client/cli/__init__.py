"""The `cybervein` command. `main` runs it; other packages add commands through entry points."""

from cybervein_client.cli.app import main

__all__ = ["main"]
