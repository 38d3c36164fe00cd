"""Kept files are renewed as soon as they end soon, while the wallet can pay.

One process at a time writes a file of the catalogue, and a renewal stands on the end that the
ledger told: several services pay once, in one home or in several homes of one wallet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cybervein_protocol.errors import CyberVeinError, FundsError

from cybervein_client.catalogue import Catalogue, FileRow
from cybervein_client.home import Home
from cybervein_client.lasting.ended import require_alive
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.life import FileLife
from cybervein_client.lasting.outlook import due_in_epochs
from cybervein_client.lasting.renewal import RenewalPlan, RenewedElsewhereError, Renewer
from cybervein_client.lifetimes import Life

PAUSE_SECONDS_MAX: Final = 900
_PART_MIN: Final = 10
"""A renewal that the wallet cannot pay in full is made if it affords a tenth."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept file after a pass: what was paid (0: not due), or why it could not be renewed.

    `price` is the escrow with the fees.
    """

    life: FileLife
    epochs: int = 0
    escrow: int = 0
    price: int = 0
    problem: CyberVeinError | None = None

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.life.file.name,
            "renewed_epochs": self.epochs,
            "escrow": self.escrow,
            "price": self.price,
            "ends": self.life.ends,
            "seconds_left": self.life.seconds_left,
            "problem": None if self.problem is None else str(self.problem),
        }


class FileKeeper:
    """Renews the kept files of one catalogue."""

    def __init__(self, home: Home, catalogue: Catalogue, watch: EndWatch, renewer: Renewer) -> None:
        self._home, self._catalogue = home, catalogue
        self._watch, self._renewer = watch, renewer

    async def once(self) -> list[KeptFile]:
        """One pass over every kept file, the one that ends first before the others."""
        self._home.require_writable("keep")
        kept = [file for file in self._catalogue.files() if file.keep_epochs]
        lives = await self._watch.look(kept)
        lives.sort(key=lambda life: life.expires or 0)
        return [await self._keep(life) for life in lives]

    async def run(
        self,
        tell: Callable[[list[KeptFile]], None],
        complain: Callable[[CyberVeinError], None],
    ) -> None:
        """A pass in every epoch, without end: a file that is kept now may be due in a few.

        What a super node that is away, or this machine's full disk, leaves undone is done by a
        later pass. Raises StorageError in a home that is only read: what is open of it is a copy,
        which would not learn of a file that is kept once the home can be written.
        """
        self._home.require_writable("keep")
        while True:
            try:
                kept = await self.once()
            except CyberVeinError as error:
                complain(error)
            else:
                tell(kept)
            await asyncio.sleep(min(self._renewer.epoch_seconds, PAUSE_SECONDS_MAX))

    async def _keep(self, life: FileLife) -> KeptFile:
        if life.life is Life.UNFINISHED or (life.life is not Life.EXPIRED and due_in_epochs(life)):
            return KeptFile(life)
        try:
            with self._home.writing(life.file.name, "keep"):
                return await self._renewed_once(life.file)
        except CyberVeinError as error:
            return KeptFile(life, problem=error)

    async def _renewed_once(self, file: FileRow) -> KeptFile:
        """Renewed here, or left where another home of the wallet was quicker."""
        try:
            return await self._renewed(await self._watch.ask(file))
        except RenewedElsewhereError:  # perhaps in part: the rest is planned anew
            return await self._renewed(await self._watch.ask(file))

    async def _renewed(self, life: FileLife) -> KeptFile:
        require_alive(life)
        if due_in_epochs(life):  # it was renewed from elsewhere
            return KeptFile(life)
        planned = await self._affordable(life)
        after = await self._renewer.run(planned)
        return KeptFile(after, planned.added, planned.escrow, planned.price)

    async def _affordable(self, life: FileLife) -> RenewalPlan:
        """The whole renewal, or the part of it that the wallet can pay."""
        wanted = min(life.file.keep_epochs, self._renewer.most(life))
        try:
            return await self._renewer.plan(life, wanted)
        except FundsError:
            part = -(-wanted // _PART_MIN)
            planned = await self._renewer.plan(life, part)
            left = await self._renewer.balance() - 2 * planned.fees
            affordable = left * part // max(1, planned.escrow)
            return await self._renewer.plan(life, max(part, min(wanted, affordable)))
