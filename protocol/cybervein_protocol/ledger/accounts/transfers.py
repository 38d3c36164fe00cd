"""`transfer`: the simplest unit."""

from typing import ClassVar

from cybervein_protocol.encoding import Bytes32
from cybervein_protocol.ledger.accounts.money import credit, debit
from cybervein_protocol.ledger.units.body import Body, Label, PositiveAmount
from cybervein_protocol.ledger.units.run import Run


class Transfer(Body):
    """`transfer`: the issuer pays `amount` to `to`."""

    kind: ClassVar[str] = "transfer"
    to: Bytes32
    amount: PositiveAmount
    memo: Label


def transfer(run: Run, body: Transfer) -> None:
    """Move veins between accounts. Raises FundsError."""
    debit(run.state, run.issuer, body.amount)
    credit(run.state, body.to, body.amount)
