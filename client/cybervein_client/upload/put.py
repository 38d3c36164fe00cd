"""Storing a source as a file: begin (or continue), run, and record the file's DAG.

After `kill -9` the same command continues: units that may be in a block are settled first, segments
with receipts are skipped, everything else is done again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cybervein_protocol.dag import file_nodes, segment_node
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.signing import KeyPair, address
from multiformats import CID

from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.ledger import CustomersSuperNode, UnitSender
from cybervein_client.removal import Remover
from cybervein_client.transport import BulkTransport
from cybervein_client.upload.begin import Beginning
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.options import PutOptions
from cybervein_client.upload.resuming import Earlier, SourceChangedError
from cybervein_client.upload.running import BUDGET_BYTES, RunningPut
from cybervein_client.upload.shards import ShardUploader
from cybervein_client.upload.source import Source


@dataclass(kw_only=True, eq=False)
class Uploader:
    """Stores sources as files of one wallet."""

    catalogue: Catalogue
    supernode: CustomersSuperNode
    units: UnitSender
    transport: BulkTransport
    fetcher: ShardFetcher
    key: KeyPair
    network: CID
    genesis: Genesis
    remover: Remover

    async def put(
        self, source: Source, options: PutOptions, progress: Callable[[int], None]
    ) -> FileRow:
        """Store the source; `progress` takes the plaintext bytes acknowledged so far."""
        earlier = Earlier(
            catalogue=self.catalogue,
            remover=self.remover,
            decimals=self.genesis.preset.coin_decimals,
            note=options.note,
        )
        beginning = Beginning(
            catalogue=self.catalogue,
            supernode=self.supernode,
            genesis=self.genesis,
            payer=address(self.key.public),
            earlier=earlier,
            options=options,
        )
        intent = await beginning.intended(source)
        if intent.file.state is FileState.STORED:
            return await beginning.begun(intent)
        await beginning.offer(intent)
        deals = self._deals(await beginning.begun(intent))
        await deals.resume()
        try:
            return await self._run(source, deals, earlier, progress)
        except SourceChangedError as why:
            if not source.rereadable:  # what was read is gone; of a file, the next put decides
                await earlier.give_up(deals.file, "the stream has other bytes than the earlier one")
            raise why from None

    def _deals(self, file: FileRow) -> FileDeals:
        return FileDeals(
            catalogue=self.catalogue,
            supernode=self.supernode,
            units=self.units,
            key=self.key,
            genesis=self.genesis,
            file=file,
        )

    async def _run(
        self, source: Source, deals: FileDeals, earlier: Earlier, progress: Callable[[int], None]
    ) -> FileRow:
        file = deals.file
        earlier.remember(file, source)
        budget = ByteBudget(BUDGET_BYTES)
        shards = ShardUploader(
            supernode=self.supernode,
            transport=self.transport,
            fetcher=self.fetcher,
            network=self.network,
            budget=budget,
        )
        job = RunningPut(
            catalogue=self.catalogue,
            deals=deals,
            uploader=shards,
            budget=budget,
            source=source,
            earlier=earlier,
            file=file,
            progress=progress,
        )
        try:
            size = await job.run()
        except BaseExceptionGroup as group:  # before 3.11.4 `except*` wraps what is raised in it
            raise _first(group) from None
        finally:
            deals.cancel()
        return self._finish(file, size)

    def _finish(self, file: FileRow, size: int) -> FileRow:
        links, nodes = [], {}
        for row in self.catalogue.segments(file.id):
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
        self.catalogue.finish_file(file.id, size, cid_text(root), encoded)
        return self.catalogue.resolve(file.name)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Its first error of ours, whatever the depth; the group itself if anything else is in it."""
    ours, others = group.split(CyberVeinError)
    if ours is None or others is not None:
        return group
    error: BaseException = ours
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
