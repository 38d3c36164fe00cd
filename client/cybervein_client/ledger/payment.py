"""A payment before it is made: what it costs and leaves, refused here where it cannot succeed.

The ledger would void it as well, but keep the fee: what can be known before costs nothing.
"""

from dataclasses import dataclass
from typing import Final

from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import FundsError, LimitError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address

from cybervein_client.ledger.units import UnitSender

MEMO_CHARS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer and its price. `fee` is what it costs at most, `left` what stays at least."""

    body: Transfer
    fee: Veins
    left: Veins


def check_memo(memo: str) -> None:
    """Raise LimitError for one that is too long."""
    if len(memo) > MEMO_CHARS_MAX:
        raise LimitError(f"memo of {len(memo)} characters: at most {MEMO_CHARS_MAX}")


async def plan_payment(units: UnitSender, to: bytes, amount: Veins, memo: str) -> Payment:
    """A payment that the wallet can make now. Raises FundsError or LimitError."""
    check_memo(memo)
    body = Transfer(to=to, amount=amount, memo=memo)
    payer = address(units.key.public)
    fee, balance = units.fee_most(body), (await units.supernode.account(payer)).balance
    left = Veins(balance - amount - fee)
    if left < 0:
        decimals = units.genesis.preset.coin_decimals
        has, wanted, cost, most = (
            coins(each, decimals) for each in (balance, amount, fee, max(0, balance - fee))
        )
        raise FundsError(
            f"wallet {payer} has {has} coins, {wanted} and a fee of up to {cost} are needed; "
            f"nothing was paid: send at most {most}, or pay coins in"
        )
    return Payment(body, fee, left)
