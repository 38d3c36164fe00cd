"""Facts about the whole catalogue, and who held each deal's shards when that was last asked."""

from cybervein_client.catalogue.opened import OpenCatalogue


class FactTable(OpenCatalogue):
    """What is remembered beside the files."""

    def save_fact(self, key: str, data: bytes) -> None:
        """Remember something about the whole catalogue."""
        with self._write(memo=True) as database:
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, data))

    def fact(self, key: str) -> bytes | None:
        """What `save_fact` remembered."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return bytes(rows[0][0]) if rows else None

    def save_holders(self, deal: str, data: bytes) -> None:
        """Remember who held the deal's shards when the super node was last asked."""
        with self._write(memo=True) as database:
            database.execute("INSERT OR REPLACE INTO holders VALUES (?, ?)", (deal, data))

    def holders(self, deal: str) -> bytes | None:
        """What `save_holders` remembered."""
        rows = self._rows("SELECT data FROM holders WHERE deal = ?", deal)
        return bytes(rows[0][0]) if rows else None
