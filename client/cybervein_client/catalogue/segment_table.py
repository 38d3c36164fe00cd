"""Segments: how each is sealed, the receipts of its shards as they come, then all of them."""

from typing import TYPE_CHECKING, Any

from cybervein_client.catalogue.opened import OpenCatalogue, columns
from cybervein_client.catalogue.rows import SegmentRow
from cybervein_client.catalogue.sealed import Sealed, column_of, entry_of, unpacked
from cybervein_client.catalogue.shards import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cybervein_protocol.messages import ShardEntry


class SegmentTable(OpenCatalogue):
    """The segments of a catalogue's files."""

    def put_segment(self, row: SegmentRow) -> None:
        """Record a segment with the receipts of its shards; how it was sealed is in it now."""
        with self._write() as database:
            for table in ("sealed", "receipts"):
                database.execute(
                    f"DELETE FROM {table} WHERE file = ? AND number = ?",  # noqa: S608 -- our own names
                    (row.file, row.number),
                )
            database.execute(
                "INSERT OR REPLACE INTO segments (file, number, salt, size, chunks, last, shards)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*_segment_values(row), encoded(row.shards)),
            )

    def segments(self, file: str) -> list[SegmentRow]:
        """The file's segments, in order."""
        query = f"SELECT {columns(SegmentRow)} FROM segments WHERE file = ? ORDER BY number"  # noqa: S608 -- our own column names
        return [_segment(row) for row in self._rows(query, file)]

    def put_receipts(
        self, file: str, sealed: Sealed, deal: str, entries: "Mapping[int, ShardEntry]"
    ) -> None:
        """Record how a segment under way is sealed, and which shards of it miners have, by index.

        Receipts of what was sealed otherwise are void.
        """
        place = (file, sealed.number)
        with self._write() as database:
            database.execute(
                "DELETE FROM receipts WHERE file = ?1 AND number = ?2 AND NOT EXISTS "
                "(SELECT 1 FROM sealed WHERE file = ?1 AND number = ?2 AND salt = ?3)",
                (*place, sealed.salt),
            )
            database.execute(
                "INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?)",
                (*place, sealed.salt, sealed.packed()),
            )
            database.executemany(
                "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)",
                [(*place, deal, index, column_of(entry)) for index, entry in entries.items()],
            )

    def sealed(self, file: str, number: int) -> Sealed | None:
        """How a segment was sealed whose upload has begun."""
        rows = self._rows(
            "SELECT number, salt, roots FROM sealed WHERE file = ? AND number = ?", file, number
        )
        return unpacked(*rows[0]) if rows else None

    def receipts(self, file: str, number: int, deal: str) -> "dict[int, ShardEntry]":
        """The receipts of such a segment in that deal, by index."""
        rows = self._rows(
            "SELECT place, entry FROM receipts WHERE file = ? AND number = ? AND deal = ?",
            *(file, number, deal),
        )
        return {place: entry_of(entry) for place, entry in rows}

    def has_receipts(self, file: str) -> bool:
        """Whether miners have shards of a segment of which others are missing yet."""
        return bool(self._rows("SELECT 1 FROM receipts WHERE file = ? LIMIT 1", file))


def _segment_values(row: SegmentRow) -> tuple[object, ...]:
    return (row.file, row.number, row.salt, row.size, row.chunks, int(row.last))


def _segment(row: tuple[Any, ...]) -> SegmentRow:
    file, number, salt, size, chunks, last, shards = row
    return SegmentRow(
        file=file,
        number=number,
        salt=salt,
        size=size,
        chunks=chunks,
        last=bool(last),
        shards=decoded(shards),
    )
