"""`AsyncClient`: every operation of a wallet, over one network, inside one event loop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.dag import walk_segments
from cybervein_protocol.encoding import cid_text, parse_cid
from cybervein_protocol.errors import ConflictError, FundsError, UnavailableError
from cybervein_protocol.names import Veins
from cybervein_protocol.placement import Code
from cybervein_protocol.signing import address
from cybervein_runtime.belonging import belong
from cybervein_runtime.http_client import SignedClient

from cybervein_client.audit import ShardCheck, audit_file
from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.download import FileReader, Locator, ReadReport, get_file
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.home import Home, default_home
from cybervein_client.lasting.ended import explained, require_alive
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.keeper import FileKeeper
from cybervein_client.lasting.life import FileLife
from cybervein_client.lasting.outlook import Outlook, outlook
from cybervein_client.lasting.renewal import RenewalPlan, Renewer
from cybervein_client.ledger import CustomersSuperNode, Payment, UnitSender, plan_payment
from cybervein_client.lifetimes import NetworkTime, default_epochs
from cybervein_client.removal import Removal, Remover
from cybervein_client.transport import BulkTransport
from cybervein_client.upload import Ended, Note, Offer, PutOptions, Source, Uploader

PUT_ATTEMPTS = 6
_SHORT_SHARE = 20
"""A put is evened out if a deal of it ends this part of its time too early."""
Progress = Callable[[int], None]
Offered = Callable[[Offer, NetworkTime], None]


def _silent(*_: object) -> None:
    """Nobody wants to know."""


class AsyncClient(AbstractAsyncContextManager["AsyncClient"]):
    """Use as `async with AsyncClient(home) as client`."""

    def __init__(self, home: Home | None = None) -> None:
        self.home = home or default_home()
        self.network = self.home.network()
        self.key = self.home.identity().keys
        self.catalogue = Catalogue(self.home.catalogue_path)
        belong(self.home.directory, self.network.network, "catalogue", self.catalogue.units)
        self._http = SignedClient(self.key, trust=self.network.trust)
        self.supernode = CustomersSuperNode(self.network.url, self._http)
        self._transport = BulkTransport(self.key)
        self._units = UnitSender(
            supernode=self.supernode,
            key=self.key,
            network=self.network.network,
            genesis=self.network.genesis,
            lock_path=self.home.lock_path,
        )
        preset = self.network.genesis.preset
        self._preset = preset
        self.watch = EndWatch(self.catalogue, self.supernode, preset.epoch_seconds)
        self.renewer = Renewer(self.catalogue, self.watch, self._units)
        self.keeper = FileKeeper(self.home, self.catalogue, self.watch, self.renewer)
        self._locator = Locator(self.catalogue, self.supernode, preset.epoch_seconds)
        self._fetcher = ShardFetcher(
            transport=self._transport,
            locator=self._locator,
            key=self.key,
            network=self.network.network,
            order_epochs=preset.order_epochs,
        )
        self._remover = Remover(
            catalogue=self.catalogue,
            supernode=self.supernode,
            units=self._units,
            locator=self._locator,
            fetcher=self._fetcher,
        )

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections, threads and the catalogue."""
        await self._http.close()
        self._transport.close()
        self.catalogue.close()

    @property
    def address(self) -> str:
        """The wallet's address."""
        return address(self.key.public)

    async def put(  # noqa: PLR0913 -- how to store, by name
        self,
        source: Source,
        name: str,
        *,
        epochs: int | None = None,
        code: Code | None = None,
        keep: bool = False,
        offered: Offered = _silent,
        progress: Progress = _silent,
        note: Note = _silent,
    ) -> FileRow:
        """Store a source as `name`; the same call continues after an interruption.

        A file whose deals have ended is stored again. `offered` is told the price, with the
        network's time to date it, before anything is paid; never for a file that is stored. `note`
        is told what happens to an earlier attempt that cannot be continued.
        """
        self.supernode.attempts = PUT_ATTEMPTS
        with self.home.writing(name, "put"):
            began, ended = await self.watch.time_now(), await self._ended(name)
            options = PutOptions(
                name=name,
                epochs=epochs,
                code=code,
                keep=keep,
                ended=ended,
                offered=lambda offer: offered(offer, began),
                note=note,
            )
            known = self.catalogue.find(name)
            file = await self._uploader().put(source, options, progress)
        if known is not None and known.cid != file.cid:
            await self._even_out(file, began.epoch + file.epochs, note)
        return file

    def _uploader(self) -> Uploader:
        return Uploader(
            catalogue=self.catalogue,
            supernode=self.supernode,
            units=self._units,
            transport=self._transport,
            fetcher=self._fetcher,
            key=self.key,
            network=self.network.network,
            genesis=self.network.genesis,
            remover=self._remover,
        )

    async def _ended(self, name: str) -> Ended:
        """How many deals of a file that is said to be stored have ended."""
        known = self.catalogue.find(name)
        if known is None or known.state is not FileState.STORED:
            return Ended.NONE
        life = await self.watch.ask(known)
        if not life.ended:
            return Ended.NONE
        return Ended.ALL if life.ended == len(life.deals) else Ended.SOME

    async def _even_out(self, file: FileRow, target: int, note: Note) -> None:
        """Deals of an earlier attempt last as long as those of this one, or nearly.

        The file is stored by now: a wallet that cannot pay for this, or a super node that is away,
        is told and is no error.
        """
        try:
            life = await self.watch.ask(file)
            short = target - (life.expires or target)
            if short <= file.epochs // _SHORT_SHARE:
                return
            planned = await self.renewer.plan(life, short)
            await self.renewer.run(planned)
        except (FundsError, UnavailableError) as error:
            note(f"{file.name} is stored, but what was paid earlier may end earlier: {error}")
            return
        self.catalogue.set_epochs(file.id, file.epochs)  # it lasts as long as wanted, no longer
        paid = coins(planned.escrow, self._preset.coin_decimals)
        note(f"{file.name}: {paid} coins more, so that what was paid earlier lasts as long")

    async def get(
        self, name: str, destination: Path, *, replace: bool = False, progress: Progress = _silent
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

    def files(self) -> list[FileRow]:
        """All files of this wallet."""
        return self.catalogue.files()

    def stored(self, name: str) -> FileRow:
        """A file by name or CID. Raises ConflictError if its upload is not finished."""
        file = self.catalogue.resolve(name)
        if file.state is not FileState.STORED:
            raise ConflictError(
                f"{file.name} is {file.state.shown}; {file.state.next_step(file.name)}"
            )
        return file

    def _reader(self, file: FileRow) -> FileReader:
        return FileReader(self.catalogue, self._locator, self._fetcher, file)

    async def refund(self, name: str) -> Veins:
        """What would come back if the file was removed now."""
        return await self._remover.refund(self.catalogue.resolve(name))

    async def remove(self, name: str) -> Removal:
        """End a file's deals, tell its miners, forget its key."""
        file = self.catalogue.resolve(name)
        with self.home.writing(file.name, "rm"):
            return await self._remover.remove(file)

    async def renew(self, name: str, epochs: int | None = None) -> RenewalPlan:
        """Pay for more epochs of a file (the network's default), counted from its end.

        Raises ConflictError, LimitError or FundsError before any fee where it cannot be done.
        """
        file = self.stored(name)
        with self.home.writing(file.name, "renew"):
            life = await self.watch.ask(file)
            planned = await self.renewer.plan(life, epochs or default_epochs(self._preset))
            await self.renewer.run(planned)
        return planned

    async def keep(self, name: str, epochs: int | None = None) -> FileLife:
        """Have `keeper` renew a file by so many epochs each time (its own, if None; 0: never)."""
        self.home.require_writable("keep")
        file = self.stored(name)
        self.catalogue.set_keep(file.id, file.epochs if epochs is None else epochs)
        return await self.watch.ask(self.stored(name))

    async def outlook(self) -> Outlook:
        """What has ended or ends soon, and which renewal the wallet will not be able to pay."""
        lives = await self.watch.look(self.catalogue.files())
        balance = None
        if any(life.file.keep_epochs for life in lives) and not self.watch.estimated:
            balance = (await self.account()).balance
        return outlook(lives, balance, self._preset)

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

    async def payment(self, to: bytes, amount: Veins, memo: str = "") -> Payment:
        """What paying veins to an account costs and leaves. Raises FundsError before any fee."""
        self.home.require_writable("a payment")  # two at once would take one nonce
        return await plan_payment(self._units, to, amount, memo)

    async def send(self, to: bytes, amount: int, memo: str = "") -> str:
        """Pay veins to an account; the id of the final unit. Raises FundsError before any fee."""
        planned = await self.payment(to, Veins(amount), memo)
        return cid_text(await self._units.send(planned.body))

    async def account(self) -> AccountDocument:
        """This wallet's account."""
        return await self.supernode.account(self.address)
