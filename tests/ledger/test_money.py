"""The supply equation is asserted: a rule that makes or loses a vein stops the chain."""

from dataclasses import replace as replaced

import pytest
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.accounts.money import count, credit
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.state.rows import ACCOUNTS, MINERS, AccountRow
from cybervein_protocol.ledger.units.run import Run, known_miner
from ledger_chain import Chain, keys
from msgspec.structs import replace


def makes_money(run: Run, body: Transfer) -> None:
    credit(run.state, body.to, 1)


def hides_money(run: Run, body: Transfer) -> None:
    run.state.put(ACCOUNTS, body.to, AccountRow(balance=1))


def miscounts(run: Run, body: Transfer) -> None:
    credit(run.state, body.to, 5)
    count(run.state, held=-5, burnt=0)


def bonds_from_nothing(run: Run, body: Transfer) -> None:
    row = known_miner(run.state, body.to)
    run.state.put(MINERS, body.to, replace(row, bonded=row.bonded + 1))


@pytest.mark.parametrize("rule", [makes_money, hides_money, miscounts, bonds_from_nothing])
def test_a_rule_that_is_wrong_about_money_stops_the_chain(
    rule: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain()
    chain.register("a")
    before = dict(chain.store.rows)
    monkeypatch.setitem(KINDS, "transfer", replaced(KINDS["transfer"], rule=rule))
    body = Transfer(to=keys("a").public, amount=1, memo="")
    with pytest.raises(CyberVeinError, match="this is a defect of the ledger's rules"):
        chain.do("customer", body)
    assert chain.store.rows == before
