"""How a put begins: which file it continues, or begins anew, and what it will cost."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from cybervein_protocol.errors import ConflictError, LimitError, MalformedError
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.placement import Code, default_code
from cybervein_runtime.durations import duration_text

from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.ledger import CustomersSuperNode, live_domains
from cybervein_client.lifetimes import default_epochs
from cybervein_client.upload.offer import Offer, make_offer, require_balance
from cybervein_client.upload.resuming import Earlier, Note
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
class Beginning:
    """Finds or makes the file of one put; `payer` is the wallet's address."""

    catalogue: Catalogue
    supernode: CustomersSuperNode
    genesis: Genesis
    payer: str
    earlier: Earlier
    options: PutOptions

    async def continued(self, source: Source) -> FileRow | None:
        """The file of that name, to be continued; None for one to begin, or to begin again."""
        options = self.options
        self._check()
        known = self.catalogue.find(options.name)
        if options.ended is Ended.ALL:
            return None
        await self.earlier.clear(source, options.name, options.code)
        if known is not None and options.ended is Ended.SOME and known.source == source.name:
            self.catalogue.set_file_state(known.id, FileState.UPLOADING)  # it is the same source
        known = self.catalogue.find(options.name)
        return None if known is None else self._as_wanted(_same_source(known, source))

    def _as_wanted(self, file: FileRow) -> FileRow:
        """The file to be continued, for as long and as kept as it is wanted now."""
        options = self.options
        if options.epochs is not None and file.state is FileState.UPLOADING:
            self.catalogue.set_epochs(file.id, options.epochs)
            file = replace(file, epochs=options.epochs)
        if options.keep:
            self.catalogue.set_keep(file.id, file.epochs)
        return file

    async def begin(self, source: Source) -> FileRow:
        """A new file, in the place of one that has ended. Raises FundsError before it is there."""
        options = self.options
        code = options.code or default_code(live_domains(await self.supernode.miners()))
        epochs = options.epochs or default_epochs(self.genesis.preset)
        past = self.catalogue.find(options.name) if options.ended is Ended.ALL else None
        kept = past.keep_epochs if past else 0
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
            keep_epochs=epochs if options.keep else kept,
        )
        await self.offer(file)
        self.catalogue.add_file(file, None if past is None else past.id)
        return file

    async def offer(self, file: FileRow) -> None:
        """Tell what is still to be paid. Raises FundsError if the wallet cannot."""
        done = {deal.first for deal in self.catalogue.deals(file.id)}
        again = self.options.ended is not Ended.NONE
        offer = make_offer(file, self.genesis, done, again=again)
        account = await self.supernode.account(self.payer)
        require_balance(offer, account.balance, self.genesis.preset.coin_decimals)
        self.options.offered(offer)

    def _check(self) -> None:
        """Raise for what the ledger would void after a fee."""
        options = self.options
        most = self.genesis.preset.deal_epochs_max
        if options.epochs is not None and options.epochs > most:
            lasting = duration_text(most * self.genesis.preset.epoch_seconds)
            raise LimitError(
                f"{options.epochs} epochs are too long: at most {most} in this network, {lasting}; "
                "nothing was paid"
            )
        check_name(options.name)


def check_name(name: str) -> None:
    """Raise MalformedError for what nobody could type or read."""
    if not 1 <= len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise MalformedError(
            f"name {name[:80]!r}: expected 1 to {NAME_CHARS_MAX} printable characters"
        )


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
