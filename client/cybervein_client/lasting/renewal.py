"""Renewals: planned and checked here, so that one which the ledger would void costs no fee.

A renewal brings every deal of a file to one end, counted from the deal that ends first. Run again
after an interruption, it pays only for the deals that the first run did not reach. Each unit stands
on the end it was planned from: two homes of one wallet that renew at once buy the time once.
"""

from dataclasses import dataclass
from functools import partial

from cybervein_protocol.amounts import coins
from cybervein_protocol.encoding import cid_text, parse_cid
from cybervein_protocol.errors import ConflictError, FundsError, LimitError
from cybervein_protocol.ledger.accounts.fees import storage_fee
from cybervein_protocol.ledger.storage.bodies import DealRenew
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from cybervein_runtime.durations import duration_text

from cybervein_client.catalogue import Catalogue, DealState
from cybervein_client.lasting.ended import require_alive
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.life import FileLife
from cybervein_client.ledger import UnitSender
from cybervein_client.ledger.fees import small_fees
from cybervein_client.lifetimes import date_text


class RenewedElsewhereError(ConflictError):
    """The end that a renewal was planned from has moved, by another home of the wallet."""


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """What brings a file to `target`: a unit for each deal that ends before it, what all cost.

    `fees` are what the units cost at most beside the escrow.
    """

    life: FileLife
    target: int
    units: tuple[DealRenew, ...]
    escrow: Veins
    fees: Veins

    @property
    def price(self) -> Veins:
        """What is taken from the wallet, at most."""
        return Veins(self.escrow + self.fees)

    @property
    def added(self) -> int:
        """Epochs by which the file's end moves."""
        return self.target - (self.life.expires or self.target)

    @property
    def ends(self) -> float:
        """When the file ends then, in unix seconds."""
        return self.life.time.begin_of(self.target)


def plan_renewal(life: FileLife, target: int, preset: Preset) -> RenewalPlan:
    """The units that renew a live file to the epoch `target`, at the fees of small units."""
    bodies = []
    for deal in life.deals:
        more = target - (deal.expires or target)
        if deal.state is DealState.ACTIVE and more > 0:
            escrow = storage_fee(deal.kib or 0, more, preset)
            bodies.append(DealRenew(deal=parse_cid(deal.cid, "deal"), epochs=more, escrow=escrow))
    escrow = Veins(sum(body.escrow for body in bodies))
    return RenewalPlan(life, target, tuple(bodies), escrow, small_fees(len(bodies), preset))


class Renewer:
    """Renews files of one wallet."""

    def __init__(self, catalogue: Catalogue, watch: EndWatch, units: UnitSender) -> None:
        self._catalogue, self._watch, self._units = catalogue, watch, units
        self._preset = units.genesis.preset
        self.epoch_seconds = self._preset.epoch_seconds

    async def plan(self, life: FileLife, epochs: int) -> RenewalPlan:
        """A renewal by so many epochs that the ledger and the wallet's balance allow.

        Raises ConflictError (ended), LimitError (too long) or FundsError, before any fee.
        """
        require_alive(life)
        if life.expires is None:
            raise ConflictError(
                f"{life.file.name} is {life.file.state.value}; finish its `put` before renewing it"
            )
        self._check_length(life, epochs)
        planned = plan_renewal(life, life.expires + epochs, self._preset)
        await self._check_balance(planned)
        return planned

    def most(self, life: FileLife) -> int:
        """How many epochs more the network allows."""
        return self._preset.deal_epochs_max + life.time.epoch - (life.expires or 0)

    async def run(self, planned: RenewalPlan) -> FileLife:
        """Pay for a planned renewal; the file's life then.

        Raises RenewedElsewhereError before it pays for a deal whose end has moved since.
        """
        for body in planned.units:
            await self._units.send_while(body, partial(self._require_end, planned, body))
        file = planned.life.file
        self._catalogue.set_epochs(file.id, file.epochs + planned.added)
        return await self._watch.ask(self._catalogue.resolve(file.name))

    async def _require_end(self, planned: RenewalPlan, body: DealRenew) -> None:
        said = await self._units.supernode.deal(cid_text(body.deal))
        if said is None or said.state != "active" or said.expires + body.epochs != planned.target:
            raise RenewedElsewhereError(
                f"{planned.life.file.name}: another home of this wallet renewed or closed it just "
                "now; nothing more was paid, `cybervein ls` shows its end"
            )

    async def balance(self) -> Veins:
        """What the wallet has."""
        return (await self._units.supernode.account(address(self._units.key.public))).balance

    def _check_length(self, life: FileLife, epochs: int) -> None:
        most = self.most(life)
        if epochs > most:
            left = duration_text(life.seconds_left or 0)
            raise LimitError(
                f"{life.file.name} is stored for another {left}; {epochs} epochs more are too "
                f"long, at most {max(0, most)} can be added now; nothing was paid"
            )

    async def _check_balance(self, planned: RenewalPlan) -> None:
        balance, needed = await self.balance(), planned.price
        if balance < needed:
            decimals = self._preset.coin_decimals
            has, price = coins(balance, decimals), coins(needed, decimals)
            raise FundsError(
                f"the wallet has {has} coins; renewing {planned.life.file.name} until "
                f"{date_text(planned.ends)} takes {price} with its fees, nothing was paid: pay "
                "coins in, or renew for a shorter time"
            )
