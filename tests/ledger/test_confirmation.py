"""Soft confirmation weighs the bonds of those who built on a unit, each once."""

from cybervein_protocol.encoding import encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.units.confirmation import Confirmation, soft_confirmation
from cybervein_protocol.ledger.units.genesis import root_units
from cybervein_protocol.ledger.units.unit import ParsedUnit, make_paid_unit
from ledger_chain import Chain, digest, keys
from multiformats import CID

CHAIN = Chain()
BONDS = {keys("a").public: 5, keys("b").public: 7}


def unit(who: str, *parents: CID, nonce: int = 0) -> ParsedUnit:
    machine = CHAIN.machine
    body = Transfer(to=digest("to"), amount=1, memo="")
    made = make_paid_unit(machine.network, body, list(parents), keys(who), nonce, CHAIN.preset)
    return parse_unit(encode(made), machine.network, CHAIN.preset.unit_bytes_max)


def weigh(of: ParsedUnit, *later: ParsedUnit) -> Confirmation:
    return soft_confirmation(of.id, later, lambda key: BONDS.get(key, 0))


def test_distinct_issuers_of_the_future_cone_count_once() -> None:
    left, right = root_units(CHAIN.genesis)
    first = unit("customer", left, right)
    aside = unit("b", left, right)
    child = unit("a", first.id, left)
    grandchild = unit("a", child.id, right, nonce=1)
    poor = unit("friend", child.id, grandchild.id)
    assert weigh(first) == Confirmation(units=0, issuers=0, bonded=0)
    assert weigh(first, aside, child, grandchild) == Confirmation(units=2, issuers=1, bonded=5)
    assert weigh(first, child, grandchild, poor) == Confirmation(units=3, issuers=2, bonded=5)
    joined = unit("b", poor.id, aside.id, nonce=1)
    assert weigh(first, aside, child, grandchild, poor, joined).bonded == 12
    assert weigh(aside, child, grandchild, poor, joined) == Confirmation(
        units=1, issuers=1, bonded=7
    )
