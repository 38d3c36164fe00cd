"""The `cybervein` command. `main` runs it; other packages add commands through entry points."""

from cybervein_command.app import main

__all__ = ["main"]
