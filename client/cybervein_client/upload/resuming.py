"""Whether a put continues an earlier one: by what was sent, never by dates alone.

An unfinished put is continued where its source still has the bytes that were sent: each segment
with receipts is encoded again and compared with the roots of its shards. Where it has not, or
another code is wanted, the earlier attempt is given up (its deals closed, so their escrow comes
back) and the put begins anew. A stored file's source is believed by path, size, mtime, inode and
ctime together, else by its bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.placement import Code

from cybervein_client.catalogue import Catalogue, DealState, FileRow, FileState
from cybervein_client.removal import Remover
from cybervein_client.upload.encode import Encoder
from cybervein_client.upload.source import Piece, Source

Note = Callable[[str], None]


class SourceChangedError(ConflictError):
    """The source has other bytes than those that were stored of it already."""


@dataclass(kw_only=True, eq=False)
class Earlier:
    """What the catalogue has under the name of a put."""

    catalogue: Catalogue
    remover: Remover
    decimals: int
    note: Note

    async def obstacle(
        self, known: FileRow, source: Source, code: Code | None, *, again: bool
    ) -> str:
        """Why what is there of that name is given up for this source; empty to continue it.

        Raises ConflictError for a file that is not this source's, or is stored as another code
        than the one that is wanted. Nothing is changed. `again`: it has lost deals, and may come
        from a stream once more.
        """
        if known.state is FileState.REMOVING:
            return "its removal, which was interrupted, is finished first"
        unfinished = known.state is FileState.UPLOADING
        if known.source != source.name or not (unfinished or again or source.rereadable):
            raise ConflictError(
                f"a file named {known.name!r} exists; `cybervein rm` it or choose another --name"
            )
        if not unfinished:
            await self._require_same(known, source, code)
            return ""
        why = self._obstacle(known, source, code)
        if not why and source.rereadable and not await self.matches(known, source):
            why = f"{source.name} has other bytes than when its upload began"
        return why and f"{why}, the put begins anew"

    def _obstacle(self, known: FileRow, source: Source, code: Code | None) -> str:
        """Why an unfinished put cannot be continued, as far as that is seen at once."""
        if code is not None and code != Code(known.k, known.n):
            return f"--code {code.k}/{code.n} instead of {known.k}/{known.n}"
        if source.size != known.size:
            return f"{source.name} has {source.size} bytes, {known.size} when its upload began"
        if any(deal.state is DealState.CLOSED for deal in self.catalogue.deals(known.id)):
            return "an earlier attempt was given up"
        return ""

    async def _require_same(self, known: FileRow, source: Source, code: Code | None) -> None:
        if code is not None and code != Code(known.k, known.n):
            raise ConflictError(
                f"{known.name!r} is stored as {known.k}/{known.n}, not {code.k}/{code.n}; "
                "`cybervein rm` it first, or choose another --name"
            )
        if not source.rereadable or source.facts == self.catalogue.source(known.id):
            return
        if source.size != known.size or not await self.matches(known, source):
            raise ConflictError(
                f"{known.name!r} is stored, and {source.name} has other bytes now; `cybervein rm` "
                "it first, or choose another --name"
            )
        self.remember(known, source)

    async def matches(self, known: FileRow, source: Source) -> bool:
        """Whether the source has the bytes of every segment that was sent."""
        encoder = Encoder(source, known)
        try:
            for row in self.catalogue.segments(known.id):
                if not row.shards:
                    continue
                encoded = await encoder.encode(Piece(row.number, row.size, row.last, None), row)
                if encoded.roots != [shard.root for shard in row.shards]:
                    return False
        finally:
            encoder.close()
        return True

    def remember(self, file: FileRow, source: Source) -> None:
        """Record what the source is now, once its bytes are known to be the file's."""
        if source.facts is not None:
            self.catalogue.set_source(file.id, source.facts)

    async def give_up(self, known: FileRow, why: str) -> None:
        """End an attempt, and say so."""
        removed = await self.remover.remove(known)
        back = coins(removed.refunded, self.decimals)
        self.note(f"{known.name}: {why}; what was begun is given up, {back} coins came back")
