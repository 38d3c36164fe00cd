"""Files stored and removed."""

from collections.abc import Callable

from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import FundsError, UnavailableError
from cybervein_protocol.names import Veins
from cybervein_protocol.placement import Code

from cybervein_client.catalogue import FileRow, FileState
from cybervein_client.client.opened import OpenWallet
from cybervein_client.lasting.renewal import RenewedElsewhereError
from cybervein_client.lifetimes import NetworkTime
from cybervein_client.removal import Removal
from cybervein_client.upload import Ended, Note, Offer, PutOptions, Source, Uploader
from cybervein_client.upload.owed import epochs_short

PUT_ATTEMPTS = 6
Progress = Callable[[int], None]
Offered = Callable[[Offer, NetworkTime], None]


def silent(*_: object) -> None:
    """Nobody wants to know."""


class StoringWallet(OpenWallet):
    """A wallet that stores."""

    async def put(  # noqa: PLR0913 -- how to store, by name
        self,
        source: Source,
        name: str,
        *,
        epochs: int | None = None,
        code: Code | None = None,
        keep: bool = False,
        offered: Offered = silent,
        progress: Progress = silent,
        note: Note = silent,
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
                epoch=began.epoch,
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

        The file is stored by now: what keeps this from being paid, a super node that is away too,
        is told and is no error.
        """
        try:
            life = await self.watch.ask(file)
            short = epochs_short(life.expires or target, target, file.epochs)
            if not short:
                return
            planned = await self.renewer.plan(life, short)
            await self.renewer.run(planned)
        except (FundsError, UnavailableError, RenewedElsewhereError) as error:
            note(f"{file.name} is stored, but what was paid earlier may end earlier: {error}")
            return
        self.catalogue.set_epochs(file.id, file.epochs)  # it lasts as long as wanted, no longer
        paid = coins(planned.price, self._preset.coin_decimals)
        note(f"{file.name}: {paid} coins of that made what was paid earlier last as long")

    async def refund(self, name: str) -> Veins:
        """What would come back if the file was removed now."""
        return await self._remover.refund(self.catalogue.resolve(name))

    async def remove(self, name: str) -> Removal:
        """End a file's deals, tell its miners, forget its key."""
        file = self.catalogue.resolve(name)
        with self.home.writing(file.name, "rm"):
            return await self._remover.remove(file)
