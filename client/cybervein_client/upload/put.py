"""The put: source → segments → shards → deals → file, every acknowledged step journalled.

The producer reads and encodes one segment at a time; uploads run beside it within a byte budget, so
memory does not grow with the file. After `kill -9` the same command goes on: segments with receipts
are skipped, a segment under way is encoded again with its recorded salt (same bytes, same roots),
and units that may be in a block are settled first.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from cybervein_protocol.coding import SEGMENT_PLAIN, SegmentShape, encode_segment
from cybervein_protocol.dag import file_nodes, segment_node
from cybervein_protocol.encoding import cid_text, encode, node_cid, parse_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, MalformedError
from cybervein_protocol.ledger.genesis import Genesis
from cybervein_protocol.names import MIB
from cybervein_protocol.placement import Code, default_code
from cybervein_protocol.signing import KeyPair
from multiformats import CID

from cybervein_client.catalogue import Catalogue, DealRow, DealState, FileRow, FileState, SegmentRow
from cybervein_client.ledger import SuperNode, UnitSender, live_domains
from cybervein_client.segments import CODING_THREADS, secret_of, shape_of
from cybervein_client.transport import BulkTransport
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.shards import Failures, ShardUploader
from cybervein_client.upload.source import Piece, Source

BUDGET_BYTES: Final = 112 * MIB
"""Masked shards in memory at once."""
_SALT_BYTES: Final = 32
_KEY_BYTES: Final = 32
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PutOptions:
    """How to store: the name in the catalogue, the code (None: by live domains), for how long."""

    name: str
    epochs: int
    code: Code | None = None


class Uploader:
    """Stores sources as files of one wallet."""

    def __init__(  # noqa: PLR0913, PLR0917 -- the parts of a put
        self,
        catalogue: Catalogue,
        supernode: SuperNode,
        units: UnitSender,
        transport: BulkTransport,
        key: KeyPair,
        network: CID,
        genesis: Genesis,
    ) -> None:
        self._catalogue = catalogue
        self._supernode = supernode
        self._units = units
        self._transport = transport
        self._key = key
        self._network = network
        self._genesis = genesis

    async def put(
        self, source: Source, options: PutOptions, progress: Callable[[int], None]
    ) -> FileRow:
        """Store the source; `progress` takes the plaintext bytes acknowledged so far."""
        file = await self._begin(source, options)
        if file.state is FileState.STORED:
            return file
        deals = FileDeals(
            self._catalogue, self._supernode, self._units, self._key, self._genesis, file
        )
        job = _Put(self, file, source, deals, progress)
        try:
            await deals.resume()
            size = await job.run()
        except* CyberVeinError as group:
            raise _first(group) from None
        finally:
            deals.cancel()
        return self._finish(file, size)

    async def _begin(self, source: Source, options: PutOptions) -> FileRow:
        known = self._catalogue.find(options.name)
        if known is not None:
            return _same_source(known, source)
        code = options.code or default_code(live_domains(await self._supernode.get("/miners")))
        file = FileRow(
            id=secrets.token_hex(8),
            name=options.name,
            source=source.name,
            size=source.size,
            mtime_ns=source.mtime_ns,
            file_key=secrets.token_bytes(_KEY_BYTES),
            k=code.k,
            n=code.n,
            epochs=options.epochs,
            state=FileState.UPLOADING,
            cid=None,
            created=int(time.time()),
        )
        self._catalogue.add_file(file)
        return file

    def _finish(self, file: FileRow, size: int) -> FileRow:
        links, nodes = [], {}
        for row in self._catalogue.segments(file.id):
            node = segment_node(
                salt=row.salt,
                size=row.size,
                chunks=row.chunks,
                k=file.k,
                last=row.last,
                roots=[shard.root for shard in row.shards],
            )
            data = encode(node)
            links.append(node_cid(data))
            nodes[links[-1]] = data
        root, more = file_nodes(size=size, k=file.k, n=file.n, segments=links)
        encoded = {cid_text(cid): data for cid, data in (nodes | more).items()}
        self._catalogue.finish_file(file.id, size, cid_text(root), encoded)
        return self._catalogue.resolve(file.name)

    @property
    def catalogue(self) -> Catalogue:
        """Where steps are journalled."""
        return self._catalogue

    def shard_uploader(self, budget: ByteBudget) -> ShardUploader:
        """An uploader of single segments, which gives bytes back to `budget`."""
        return ShardUploader(self._supernode, self._transport, self._network, Failures(), budget)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The masked shards of a segment and their BLAKE3 roots, by index."""

    shards: dict[int, bytes]
    roots: list[bytes]


class _Put:
    """One running put."""

    def __init__(
        self,
        uploader: Uploader,
        file: FileRow,
        source: Source,
        deals: FileDeals,
        progress: Callable[[int], None],
    ) -> None:
        self._uploader = uploader
        self._catalogue = uploader.catalogue
        self._file = file
        self._source = source
        self._deals = deals
        self._progress = progress
        self._budget = ByteBudget(BUDGET_BYTES)
        self._shards = uploader.shard_uploader(self._budget)
        self._rows = {row.number: row for row in self._catalogue.segments(file.id)}
        self._uploads: dict[int, asyncio.Task[None]] = {}
        self._done = 0

    async def run(self) -> int:
        """All segments and deals; the file's size in bytes."""
        size = 0
        pieces = self._source.pieces(SEGMENT_PLAIN)
        with contextlib.closing(_Worker()) as worker:
            async with asyncio.TaskGroup() as group:
                while (piece := await worker.call(lambda: next(pieces, None))) is not None:
                    size += piece.size
                    deal = await self._deals.of_segment(piece.number)
                    await self._segment(group, worker, piece, deal)
                    if piece.last or piece.number == deal.first + deal.segments - 1:
                        self._commit_later(group, deal, piece.number)
        return size

    async def _segment(
        self, group: asyncio.TaskGroup, worker: "_Worker", piece: Piece, deal: DealRow
    ) -> None:
        known = self._rows.get(piece.number)
        if known is not None and known.shards and piece.data is None:
            self._advance(piece.size)
            return
        row = known or self._new_row(piece)
        cost = self._file.n * shape_of(self._file, row).shard_size
        await self._budget.take(cost)
        encoded = await worker.call(lambda: self._encode(piece, row))
        if known is not None and known.shards:
            _require_same([shard.root for shard in known.shards], encoded.roots, self._file)
            await self._budget.give(cost)
            self._advance(piece.size)
            return
        self._uploads[piece.number] = group.create_task(self._upload(deal, row, encoded))

    def _new_row(self, piece: Piece) -> SegmentRow:
        """Record the salt before anything is encoded with it."""
        row = SegmentRow(
            file=self._file.id,
            number=piece.number,
            salt=secrets.token_bytes(_SALT_BYTES),
            size=piece.size,
            chunks=SegmentShape(piece.size, self._file.k, self._file.n, last=piece.last).chunks,
            last=piece.last,
            shards=(),
        )
        self._catalogue.put_segment(row)
        return row

    def _encode(self, piece: Piece, row: SegmentRow) -> _Encoded:
        if row.size != piece.size or row.last != piece.last:
            raise _changed(self._file)
        data = self._source.read(piece, SEGMENT_PLAIN)
        pairs = encode_segment(
            data,
            secret_of(self._file, row),
            shape_of(self._file, row),
            threads=CODING_THREADS,
        )
        return _Encoded(
            {index: shard for index, (_, shard) in enumerate(pairs)}, [root for root, _ in pairs]
        )

    async def _upload(self, deal: DealRow, row: SegmentRow, encoded: _Encoded) -> None:
        entries = await self._shards.upload(
            parse_cid(deal.cid, "deal"), row.number - deal.first, encoded.shards, encoded.roots
        )
        done = SegmentRow(row.file, row.number, row.salt, row.size, row.chunks, row.last, entries)
        await asyncio.to_thread(self._catalogue.put_segment, done)
        self._advance(row.size)

    def _commit_later(self, group: asyncio.TaskGroup, deal: DealRow, last: int) -> None:
        if deal.state is DealState.ACTIVE:
            return
        waiting = [task for number, task in self._uploads.items() if deal.first <= number <= last]
        group.create_task(self._commit(deal, last, waiting))

    async def _commit(self, deal: DealRow, last: int, uploads: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*uploads)
        rows = [
            row
            for row in self._catalogue.segments(self._file.id)
            if deal.first <= row.number <= last
        ]
        await self._deals.commit(deal, rows)

    def _advance(self, size: int) -> None:
        self._done += size
        self._progress(self._done)


class _Worker:
    """One thread for reading and encoding, so that segments keep their order."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="encode")

    async def call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _same_source(known: FileRow, source: Source) -> FileRow:
    """The known file, if it is this source's: stored already, or a put to go on with."""
    same = known.source == source.name and known.mtime_ns == source.mtime_ns
    if same and source.size in {known.size, None}:
        return known
    if known.state is FileState.UPLOADING and known.source == source.name:
        raise _changed(known)
    raise ConflictError(
        f"a file named {known.name!r} exists; `cybervein rm` it or choose another --name"
    )


def _changed(file: FileRow) -> ConflictError:
    return ConflictError(
        f"{file.source} changed since its upload began; `cybervein rm {file.name}` and put it again"
    )


def _require_same(expected: list[bytes], actual: list[bytes], file: FileRow) -> None:
    if expected != actual:
        raise _changed(file)


def _first(group: BaseExceptionGroup[CyberVeinError]) -> CyberVeinError:
    """The first error of a group, whatever the depth."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CyberVeinError):
        return error
    return MalformedError(str(error))
