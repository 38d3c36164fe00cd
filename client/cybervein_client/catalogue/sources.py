"""What the source of each file was, when its bytes were last known to be the file's."""

from dataclasses import replace

from cybervein_client.catalogue.opened import OpenCatalogue
from cybervein_client.catalogue.rows import SourceFacts


class SourceTable(OpenCatalogue):
    """The facts of the files' sources."""

    def set_source(self, file: str, facts: SourceFacts) -> None:
        """Record what the file's source is, its bytes being those of the file."""
        with self._write() as database:
            database.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)",
                (file, facts.size, facts.mtime_ns, _signed(facts.inode), facts.ctime_ns),
            )
            database.execute("UPDATE files SET mtime_ns = ? WHERE id = ?", (facts.mtime_ns, file))

    def source(self, file: str) -> SourceFacts | None:
        """What `set_source` recorded; None for files of releases up to 0.2.0, and for streams."""
        rows = self._rows(
            "SELECT size, mtime_ns, inode, ctime_ns FROM sources WHERE file = ?", file
        )
        if not rows:
            return None
        made = SourceFacts(*rows[0])
        return replace(made, inode=made.inode % (1 << 64))


def _signed(inode: int) -> int:
    """An inode is u64, an integer of SQLite i64."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode
