"""How a put begins: which file it continues, or begins anew, and what it will cost.

Nothing is changed or sent before the price was told and the balance reaches for it: whoever does
not agree finds everything as it was.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from typing import Final

from cybervein_protocol.coding import segment_count, segment_shape
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.names import Veins
from cybervein_protocol.placement import Code, default_code

from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.ledger import CustomersSuperNode, live_domains
from cybervein_client.ledger.fees import small_fees
from cybervein_client.lifetimes import default_epochs
from cybervein_client.upload.offer import make_offer, plans_left, require_balance
from cybervein_client.upload.options import Ended, PutOptions
from cybervein_client.upload.owed import NOTHING, Owed, owed
from cybervein_client.upload.resuming import Earlier
from cybervein_client.upload.room import require_room
from cybervein_client.upload.source import Source

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Intent:
    """What a put will do: store `file`, which continues what is there or takes its place.

    `known` is what the catalogue has under the name. `obstacle`: why its deals are closed first.
    """

    file: FileRow
    known: FileRow | None = None
    obstacle: str = ""

    @property
    def continues(self) -> bool:
        """Whether it is the file that is there already."""
        return self.known is not None and self.known.id == self.file.id


@dataclass(kw_only=True, eq=False)
class Beginning:
    """Finds or makes the file of one put; `payer` is the wallet's address."""

    catalogue: Catalogue
    supernode: CustomersSuperNode
    genesis: Genesis
    payer: str
    earlier: Earlier
    options: PutOptions

    async def intended(self, source: Source) -> Intent:
        """What is to be done about what is there of that name. Changes nothing."""
        options = self.options
        options.check(self.genesis.preset)
        known = self.catalogue.find(options.name)
        if known is None or options.ended is Ended.ALL:
            return Intent(await self._new(source, known), known)
        half = options.ended is Ended.SOME
        if why := await self.earlier.obstacle(known, source, options.code, again=half):
            return Intent(await self._new(source, known), known, why)
        if half:  # it is the same source
            known = replace(known, state=FileState.UPLOADING)
        wanted = known
        if known.state is FileState.UPLOADING and options.epochs is not None:
            wanted = replace(wanted, epochs=options.epochs)
        if options.keep:
            wanted = replace(wanted, keep_epochs=wanted.epochs)
        return Intent(wanted, known)

    async def _new(self, source: Source, past: FileRow | None) -> FileRow:
        """A new file, kept if one of that name was."""
        options = self.options
        code = options.code or default_code(live_domains(await self.supernode.miners()))
        epochs = options.epochs or default_epochs(self.genesis.preset)
        kept = past.keep_epochs if past else 0
        return FileRow(
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
            keep_epochs=epochs if options.keep else kept,
        )

    async def offer(self, intent: Intent) -> None:
        """Tell what is to be paid. Raises ConflictError or FundsError where it cannot be done."""
        earlier = await self._owed(intent)
        if not (intent.continues and self._under_way(intent.file, earlier)):
            await self._require_room(intent)
        again = self.options.ended is not Ended.NONE
        offer = make_offer(intent.file, self.genesis, earlier, again=again)
        balance = (await self.supernode.account(self.payer)).balance
        if intent.known is not None and intent.obstacle:
            balance = Veins(balance + await self.earlier.remover.refund(intent.known))
        require_balance(offer, balance, self.genesis.preset.coin_decimals)
        self.options.offered(offer)

    def _under_way(self, file: FileRow, earlier: Owed) -> bool:
        """Whether nothing is left to send, or miners have shards of what is.

        Then the rest may find its places in time: the super node is asked, with patience.
        """
        if self.catalogue.has_receipts(file.id):
            return True
        whole = sum(bool(row.shards) for row in self.catalogue.segments(file.id))
        if file.size is None:
            return whole > 0
        new = plans_left(file.size, Code(file.k, file.n), self.genesis, earlier.done)
        return whole == segment_count(file.size) and not new

    async def _require_room(self, intent: Intent) -> None:
        """A stream may be as short as one chunk, and what is given up makes room."""
        file, size = intent.file, 0
        if file.size is not None and not intent.obstacle:
            size = segment_shape(file.size, 0, file.k, file.n).shard_size
        declared = self.genesis.preset.declared_domains
        miners = await self.supernode.miners()
        require_room(Code(file.k, file.n), size, miners, declared=declared)

    async def _owed(self, intent: Intent) -> Owed:
        """What the deals of an earlier attempt cost: to be finished, or to be closed."""
        if intent.known is None or self.options.ended is Ended.ALL:
            return NOTHING
        deals = self.catalogue.deals(intent.known.id)
        if not intent.continues:
            return replace(NOTHING, price=small_fees(len(deals), self.genesis.preset))
        said = await asyncio.gather(*(self.supernode.deal(deal.cid) for deal in deals))
        asked = list(zip(deals, said, strict=True))
        return owed(intent.file, asked, self.options.epoch, self.genesis)

    async def begun(self, intent: Intent) -> FileRow:
        """The file in the catalogue, to be stored now."""
        file, known = intent.file, intent.known
        if not intent.continues:
            if known is not None and intent.obstacle:
                await self.earlier.give_up(known, intent.obstacle)
                known = None
            self.catalogue.add_file(file, None if known is None else known.id)
            return file
        if file.state is FileState.UPLOADING:
            self.catalogue.set_file_state(file.id, file.state)
            self.catalogue.set_epochs(file.id, file.epochs)
        self.catalogue.set_keep(file.id, file.keep_epochs)
        return self.catalogue.find(file.name) or file
