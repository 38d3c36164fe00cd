"""Coins sent to others."""

from cybervein_protocol.encoding import cid_text
from cybervein_protocol.names import Veins

from cybervein_client.client.opened import OpenWallet
from cybervein_client.ledger import Payment, plan_payment


class PayingWallet(OpenWallet):
    """A wallet that pays."""

    async def payment(self, to: bytes, amount: Veins, memo: str = "") -> Payment:
        """What paying veins to an account costs and leaves. Raises FundsError before any fee."""
        self.home.require_writable("a payment")  # two at once would take one nonce
        return await plan_payment(self._units, to, amount, memo)

    async def send(self, to: bytes, amount: int, memo: str = "") -> str:
        """Pay veins to an account; the id of the final unit. Raises FundsError before any fee."""
        planned = await self.payment(to, Veins(amount), memo)
        return cid_text(await self._units.send(planned.body))
