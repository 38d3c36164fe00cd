"""A ledger of 0.2.0 with an epoch open: verified as it is, then continued under rules 2.

`dumps/0.2.0/epochs.sql` was written by `write_epochs.py` with the sources of 0.2.0.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_protocol.encoding import decode, encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import EpochBlock
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.epochs.beacon import prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.state.rows import EPOCHS, Tau, epoch_id
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.unit import make_paid_unit, make_unit
from cybervein_protocol.signing import KeyPair
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.verify.replaying import verify_data
from dumps import DUMPS, restore
from msgspec import UNSET
from write_epochs import SUPER, SUPER_VRF, genesis_of

GOLDEN = json.loads((DUMPS.parents[1] / "ledger" / "golden_chain.json").read_text())
GENESIS = genesis_of(GOLDEN)
CUSTOMER = KeyPair(blake3(b"customer").digest())
WRITTEN = len(GOLDEN["blocks"]) - 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return restore("0.2.0", "epochs", tmp_path)


@pytest.fixture
def chain(path: Path) -> Iterator[Chain]:
    chain = Chain(path, GENESIS)
    yield chain
    chain.close()


def issue(chain: Chain, key: KeyPair, body: Body) -> None:
    """One unit in one block, which must succeed."""
    machine, parents = chain.machine, chain.tips.parents()
    nonce, preset = machine.next_nonce(key.public), GENESIS.preset
    if key is SUPER:
        unit = make_unit(machine.network, body, parents=parents, key=key, nonce=nonce, fee=0)
    else:
        unit = make_paid_unit(
            machine.network, body, parents=parents, key=key, nonce=nonce, preset=preset
        )
    parsed = parse_unit(encode(unit), machine.network, preset.unit_bytes_max)
    assert chain.execute([parsed], SUPER).block.voids == []


def close(chain: Chain) -> int:
    """Close the open epoch; its number."""
    head = chain.head
    proof = prove_beacon(SUPER_VRF, head.beacon, head.epoch)
    issue(chain, SUPER, EpochClose(epoch=head.epoch, vrf_proof=proof))
    return head.epoch


def blocks_of(path: Path) -> list[str]:
    sql = sqlite3.connect(path)
    rows = sql.execute("SELECT bytes FROM block ORDER BY height").fetchall()
    sql.close()
    return [raw.hex() for (raw,) in rows]


def epoch_blocks_of(path: Path) -> dict[int, bytes]:
    sql = sqlite3.connect(path)
    found = dict(sql.execute("SELECT number, bytes FROM epoch_block"))
    sql.close()
    return found


def lists_of(path: Path, epoch: int) -> list[bytes]:
    """Digests of the units of each block of an epoch, joined, asked for as 0.2.0 did."""
    sql = sqlite3.connect(path)
    rows = sql.execute(
        "SELECT unit.height, unit.id FROM unit JOIN block USING (height) WHERE block.epoch = ? "
        "ORDER BY unit.height, unit.position",
        (epoch,),
    ).fetchall()
    sql.close()
    lists: dict[int, bytes] = {}
    for height, digest in rows:
        lists[height] = lists.get(height, b"") + digest
    return list(lists.values())


def tau_of(path: Path, epoch: int) -> Tau:
    """What the epoch's block must say."""
    lists = lists_of(path, epoch)
    root = blake3(b"".join(blake3(entry).digest() for entry in lists)).digest()
    units = sum(map(len, lists)) // 32
    return Tau(index=epoch, units=units, blocks=len(lists), root=root)


def test_it_opens_as_it_was_and_replays_to_the_same_roots(
    path: Path, chain: Chain, tmp_path: Path
) -> None:
    assert blocks_of(path) == GOLDEN["blocks"][:-1]
    assert chain.machine.app_hash.hex() == GOLDEN["app_hashes"][-2]
    verified = verify_data(LedgerView(path, GENESIS), tmp_path)
    assert (verified.height, verified.app_hash) == (WRITTEN, GOLDEN["app_hashes"][-2])


def test_it_continues_and_the_open_epoch_has_all_its_units(
    path: Path, chain: Chain, tmp_path: Path
) -> None:
    before, open_epoch = epoch_blocks_of(path), chain.head.epoch
    lists_before = lists_of(path, open_epoch)
    issue(chain, CUSTOMER, Transfer(to=SUPER.public, amount=7, memo="after the upgrade"))
    first, second = close(chain), close(chain)
    assert first == open_epoch
    assert lists_of(path, first)[: len(lists_before)] == lists_before
    assert len(lists_before) > 1
    after = epoch_blocks_of(path)
    assert {number: after[number] for number in before} == before
    for epoch in (first, second):
        made = decode(after[epoch], EpochBlock, "epoch block", 1 << 16)
        assert made.tau == tau_of(path, epoch)
        row = chain.rows.find(EPOCHS, epoch_id(epoch))
        assert row is not None
        assert (row.tau, row.beacon) == (made.tau, made.phi.beacon)
    assert blocks_of(path)[:WRITTEN] == GOLDEN["blocks"][:-1]
    verified = verify_data(LedgerView(path, GENESIS), tmp_path)
    assert (verified.height, verified.app_hash) == (WRITTEN + 3, chain.machine.app_hash.hex())


def test_what_0_2_0_closed_stays_without_a_tau(chain: Chain) -> None:
    close(chain)
    closed = [chain.rows.find(EPOCHS, epoch_id(epoch)) for epoch in range(chain.head.epoch)]
    assert [row.tau is UNSET for row in closed if row] == [True] * (len(closed) - 1) + [False]


def test_it_is_continued_by_who_opens_it_again(path: Path) -> None:
    for _ in range(3):
        chain = Chain(path, GENESIS)
        epoch = close(chain)
        chain.close()
        made = decode(epoch_blocks_of(path)[epoch], EpochBlock, "epoch block", 1 << 16)
        assert made.tau == tau_of(path, epoch)
