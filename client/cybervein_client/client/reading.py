"""Files read back, and asked for what miners still hold of them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from cybervein_protocol.dag import walk_segments
from cybervein_protocol.encoding import cid_text, parse_cid

from cybervein_client.audit import ShardCheck, audit_file
from cybervein_client.catalogue import FileRow
from cybervein_client.client.opened import OpenWallet
from cybervein_client.download import FileReader, ReadReport, get_file
from cybervein_client.lasting.ended import explained, require_alive


class ReadingWallet(OpenWallet):
    """A wallet that reads."""

    async def get(
        self,
        name: str,
        destination: Path,
        *,
        replace: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> ReadReport:
        """Read a file to `destination`, which appears when it is whole."""
        reader = self._reader(self.stored(name))
        async with explained(self.watch, reader.file):
            await get_file(reader, destination, progress, replace=replace)
        return reader.report

    async def stream(
        self, name: str, start: int = 0, stop: int | None = None, report: ReadReport | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes [start, stop) of a file in order; only the stripes needed are fetched."""
        reader = self._reader(self.stored(name))
        if report is not None:
            reader.report = report
        async with explained(self.watch, reader.file):
            async for data in reader.stream(start, reader.size if stop is None else stop):
                yield data

    def _reader(self, file: FileRow) -> FileReader:
        return FileReader(self.catalogue, self._locator, self._fetcher, file)

    async def audit(self, name: str, samples: int) -> list[ShardCheck]:
        """Check random chunks of every shard that a file's CID names, whatever the ledger says.

        Raises ConflictError for a file whose deals have ended.
        """
        file = self.stored(name)
        require_alive(await self.watch.ask(file))
        root = parse_cid(file.cid or "", "file")
        nodes = walk_segments(root, lambda cid: self.catalogue.node(cid_text(cid)))
        segments = [node for _, node in nodes]
        placed = await self._locator.locate(file)
        return await audit_file(segments, placed, self._fetcher, samples)
