"""State height 0: the rows a genesis makes."""

from cybervein_protocol.encoding import Record, cid_root
from cybervein_protocol.ledger.epochs.beacon import genesis_beacon
from cybervein_protocol.ledger.state.rows import (
    ACCOUNTS,
    EPOCHS,
    HEAD,
    HEAD_ID,
    SUPPLY,
    SUPPLY_ID,
    UNITS,
    AccountRow,
    EpochRow,
    HeadRow,
    SupplyRow,
    UnitRow,
    epoch_id,
)
from cybervein_protocol.ledger.units.genesis import Genesis, check_genesis, network_id, root_units
from cybervein_protocol.names import Veins


def genesis_rows(genesis: Genesis) -> dict[bytes, Record]:
    """Every row of height 0 by key. Raises MalformedError."""
    check_genesis(genesis)
    network = network_id(genesis)
    beacon = genesis_beacon(network)
    total = Veins(sum(entry.balance for entry in genesis.accounts))
    none = Veins(0)
    rows: dict[bytes, Record] = {
        ACCOUNTS.key(entry.key): AccountRow(balance=entry.balance) for entry in genesis.accounts
    }
    for index, root in enumerate(root_units(genesis)):
        rows[UNITS.key(cid_root(root))] = UnitRow(height=0, index=index)
    rows[EPOCHS.key(epoch_id(0))] = EpochRow(
        beacon=beacon, vrf_proof=b"", closed=0, weight=0, minted=none, earners=0
    )
    rows[HEAD.key(HEAD_ID)] = HeadRow(network=cid_root(network), height=0, epoch=0, beacon=beacon)
    rows[SUPPLY.key(SUPPLY_ID)] = SupplyRow(
        genesis=total, minted=none, held=total, escrowed=none, bonded=none, burnt=none
    )
    return rows
