"""Stores as releases left them: tests/stores/dumps has their files as SQL."""

import sqlite3
from pathlib import Path

DUMPS = Path(__file__).parents[1] / "stores" / "dumps"


def restore(release: str, name: str, folder: Path) -> Path:
    """The file as that release left it."""
    path = folder / f"{name}.sqlite"
    sql = sqlite3.connect(path)
    sql.execute("PRAGMA journal_mode = WAL")
    sql.executescript((DUMPS / release / f"{name}.sql").read_text())
    sql.close()
    return path
