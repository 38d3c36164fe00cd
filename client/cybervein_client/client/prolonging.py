"""How long files last: renewed, kept, and what is to be expected of them."""

from collections.abc import Callable

from cybervein_client.client.opened import OpenWallet
from cybervein_client.lasting.life import FileLife
from cybervein_client.lasting.outlook import Outlook, outlook
from cybervein_client.lasting.renewal import RenewalPlan
from cybervein_client.lifetimes import default_epochs


class ProlongingWallet(OpenWallet):
    """A wallet that pays for more time."""

    async def renew(
        self,
        name: str,
        epochs: int | None = None,
        *,
        offered: Callable[[RenewalPlan], None] = lambda _: None,
    ) -> RenewalPlan:
        """Pay for more epochs of a file (the network's default), counted from its end.

        `offered` is told the plan with its price before anything is paid. Raises ConflictError,
        LimitError or FundsError before any fee where it cannot be done.
        """
        file = self.stored(name)
        with self.home.writing(file.name, "renew"):
            life = await self.watch.ask(file)
            planned = await self.renewer.plan(life, epochs or default_epochs(self._preset))
            offered(planned)
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
