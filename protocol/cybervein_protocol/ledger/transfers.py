"""`transfer`: the simplest unit."""

from cybervein_protocol.ledger.bodies import Transfer
from cybervein_protocol.ledger.money import credit, debit
from cybervein_protocol.ledger.run import Run


def transfer(run: Run, body: Transfer) -> None:
    """Move veins between accounts. Raises FundsError."""
    debit(run.state, run.issuer, body.amount)
    credit(run.state, body.to, body.amount)
