"""Storing a source as a file: begin (or continue), run, and record the file's DAG.

After `kill -9` the same command continues: units that may be in a block are settled first, segments
with receipts are skipped, everything else is done again.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from cybervein_protocol.dag import file_nodes, segment_node
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, LimitError, MalformedError
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.placement import Code, default_code
from cybervein_protocol.signing import KeyPair, address
from multiformats import CID

from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.ledger import CustomersSuperNode, UnitSender, live_domains
from cybervein_client.lifetimes import default_epochs
from cybervein_client.removal import Remover
from cybervein_client.transport import BulkTransport
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.offer import Offer, make_offer, require_balance
from cybervein_client.upload.resuming import Earlier, Note, SourceChangedError
from cybervein_client.upload.running import BUDGET_BYTES, RunningPut
from cybervein_client.upload.shards import ShardUploader
from cybervein_client.upload.source import Source

NAME_CHARS_MAX: Final = 255
_KEY_BYTES: Final = 32


class Ended(Enum):
    """How many of the deals of a file of that name have ended already."""

    NONE = 0
    SOME = 1
    ALL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """How to store: the name in the catalogue, for how long, the code (None: by live domains).

    `epochs` is None for what a put was begun with, or else the network's default. A file that
    has `ended` is stored again. `offered` is told the price before anything is paid.
    """

    name: str
    epochs: int | None = None
    code: Code | None = None
    note: Note = lambda _: None
    keep: bool = False
    ended: Ended = Ended.NONE
    offered: Callable[[Offer], None] = lambda _: None


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
        known = await self._continued(source, options, earlier)
        if known is not None and known.state is FileState.STORED:
            return known
        deals = self._deals(known or await self._begin(source, options))
        await deals.resume()
        if known is not None:
            await self._offer(known, options)
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

    async def _continued(
        self, source: Source, options: PutOptions, earlier: Earlier
    ) -> FileRow | None:
        """The file of that name, to be continued; None for one to begin, or to begin again."""
        self._check(options)
        known = self.catalogue.find(options.name)
        if options.ended is Ended.ALL:
            return None
        if known is not None and options.ended is Ended.SOME and known.source == source.name:
            self.catalogue.set_file_state(known.id, FileState.UPLOADING)
        await earlier.clear(source, options.name, options.code)
        known = self.catalogue.find(options.name)
        return None if known is None else self._as_wanted(_same_source(known, source), options)

    def _as_wanted(self, file: FileRow, options: PutOptions) -> FileRow:
        """The file to be continued, for as long and as kept as it is wanted now."""
        if options.epochs is not None and file.state is FileState.UPLOADING:
            self.catalogue.set_epochs(file.id, options.epochs)
            file = replace(file, epochs=options.epochs)
        if options.keep:
            self.catalogue.set_keep(file.id, file.epochs)
        return file

    async def _begin(self, source: Source, options: PutOptions) -> FileRow:
        code = options.code or default_code(live_domains(await self.supernode.miners()))
        epochs = options.epochs or default_epochs(self.genesis.preset)
        file = FileRow(
            id=secrets.token_hex(8),
            name=options.name,
            source=source.name,
            size=source.size,
            mtime_ns=source.mtime_ns,
            file_key=secrets.token_bytes(_KEY_BYTES),
            k=code.k,
            n=code.n,
            epochs=epochs,
            state=FileState.UPLOADING,
            cid=None,
            created=int(time.time()),
            keep_epochs=epochs if options.keep else 0,
        )
        await self._offer(file, options)
        past = self.catalogue.find(options.name) if options.ended is Ended.ALL else None
        self.catalogue.add_file(file, None if past is None else past.id)
        return file

    async def _offer(self, file: FileRow, options: PutOptions) -> None:
        """Tell what is still to be paid. Raises FundsError if the wallet cannot."""
        done = {deal.first for deal in self.catalogue.deals(file.id)}
        again = options.ended is not Ended.NONE
        offer = make_offer(file, self.genesis, done, again=again)
        account = await self.supernode.account(address(self.key.public))
        require_balance(offer, account.balance, self.genesis.preset.coin_decimals)
        options.offered(offer)

    def _check(self, options: PutOptions) -> None:
        """Raise for what the ledger would void after a fee, and for names nobody could type."""
        most = self.genesis.preset.deal_epochs_max
        if options.epochs is not None and options.epochs > most:
            raise LimitError(f"--epochs {options.epochs}: at most {most} in this network")
        if not 1 <= len(options.name) <= NAME_CHARS_MAX or not options.name.isprintable():
            raise MalformedError(
                f"name {options.name[:80]!r}: expected 1 to {NAME_CHARS_MAX} printable characters"
            )

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


def _same_source(known: FileRow, source: Source) -> FileRow:
    """The known file, if it is this source's: stored already, or a put to continue."""
    if known.state is FileState.REMOVING:
        raise ConflictError(f"{known.name!r} is being removed; finish that: `rm {known.name}`")
    unfinished = known.state is FileState.UPLOADING
    if source.name == known.source and (unfinished or source.rereadable):
        return known  # `Earlier.clear` has compared the bytes
    raise ConflictError(
        f"a file named {known.name!r} exists; `cybervein rm` it or choose another --name"
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Its first error of ours, whatever the depth; the group itself if anything else is in it."""
    ours, others = group.split(CyberVeinError)
    if ours is None or others is not None:
        return group
    error: BaseException = ours
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
