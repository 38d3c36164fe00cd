"""Shape and secret of a catalogued segment, for the protocol's coding."""

from typing import Final

from cybervein_protocol.coding import SegmentSecret, SegmentShape

from cybervein_client.catalogue import FileRow, SegmentRow

CODING_THREADS: Final = 2
"""Native threads of one segment's encoding or decoding; uploads run beside it."""


def shape_of(file: FileRow, row: SegmentRow) -> SegmentShape:
    """Sizes and code of the segment."""
    return SegmentShape(row.size, file.k, file.n, last=row.last)


def secret_of(file: FileRow, row: SegmentRow) -> SegmentSecret:
    """The file's key and the segment's salt."""
    return SegmentSecret(file.file_key, row.salt)
