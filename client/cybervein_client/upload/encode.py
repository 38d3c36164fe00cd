"""Plaintext of a segment to its masked shards, one at a time, in a thread of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from cybervein_protocol.coding import SEGMENT_PLAIN, encode_segment

from cybervein_client.catalogue import FileRow, SegmentRow
from cybervein_client.segments import CODING_THREADS, secret_of, shape_of
from cybervein_client.upload.source import Piece, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Encoded:
    """The masked shards of a segment and their BLAKE3 roots, by index."""

    shards: dict[int, bytes]
    roots: list[bytes]


class Encoder:
    """Reads and encodes a file's segments in order."""

    def __init__(self, source: Source, file: FileRow) -> None:
        self._source = source
        self._file = file
        self._pieces = source.pieces(SEGMENT_PLAIN)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encode")

    async def next_piece(self) -> Piece | None:
        """The next segment of the source, None at its end."""
        return await self._in_thread(lambda: next(self._pieces, None))

    async def encode(self, piece: Piece, row: SegmentRow) -> Encoded:
        """The shards of a piece under the row's salt."""
        return await self._in_thread(lambda: self._encode(piece, row))

    def _encode(self, piece: Piece, row: SegmentRow) -> Encoded:
        data = self._source.read(piece, SEGMENT_PLAIN)
        shape, secret = shape_of(self._file, row), secret_of(self._file, row)
        pairs = encode_segment(data, secret, shape, threads=CODING_THREADS)
        shards = {index: shard for index, (_, shard) in enumerate(pairs)}
        return Encoded(shards, [root for root, _ in pairs])

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
