"""The engine on real SQLite: blocks, limits, damage, a full disk, and kill -9 at any moment."""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import engine_child
import pytest
from cybervein_protocol.encoding import cid_root, cid_text, encode
from cybervein_protocol.errors import (
    ExpiredError,
    LimitError,
    ReplayError,
    StorageError,
    UnavailableError,
)
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.state.rows import SUPPLY, SUPPLY_ID
from cybervein_protocol.ledger.units.genesis import root_units
from cybervein_protocol.ledger.units.unit import PARENTS_MAX, make_paid_unit
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.chain.tips import Tips
from cybervein_supernode.engine import bench as bench_module
from cybervein_supernode.engine import mempool as mempool_module
from cybervein_supernode.engine.bench import Bench
from cybervein_supernode.engine.mempool import Mempool
from cybervein_supernode.verify.replaying import verify_data
from super_lab import WALLET, Lab
from waiting import DEADLINE_SECONDS

KILLS = 40


def transfer(lab: Lab, nonce: int, amount: int = 1) -> bytes:
    network, preset = lab.desk.view.network, lab.genesis.preset
    body = Transfer(to=bytes([nonce % 251]) * 32, amount=amount, memo="")
    roots = root_units(lab.genesis)
    return encode(
        make_paid_unit(network, body, parents=roots, key=WALLET, nonce=nonce, preset=preset)
    )


async def test_a_unit_is_acknowledged_only_once_its_block_is_on_disk(lab: Lab) -> None:
    done = await lab.send(WALLET, Transfer(to=b"t" * 32, amount=7, memo="x"))
    assert done.status == "final"
    place = lab.desk.view.history.unit(cid_root(done.unit))
    assert place is not None
    assert (place.height, place.code) == (done.height, "")
    assert lab.desk.view.history.block(done.height).units == [done.unit]


async def test_a_void_unit_is_told_with_its_reason_and_pays_its_fee(lab: Lab) -> None:
    done = await lab.send(WALLET, Transfer(to=b"t" * 32, amount=10**17, memo=""))
    assert (done.status, done.code) == ("void", "funds")
    assert "balance" in done.reason
    supply = lab.desk.view.rows.find(SUPPLY, SUPPLY_ID)
    assert supply is not None
    assert supply.burnt > 0
    assert supply.balanced


async def test_many_units_at_once_share_blocks_and_keep_their_nonces_in_order(lab: Lab) -> None:
    raw = [transfer(lab, nonce) for nonce in range(50)]
    random.Random(1).shuffle(raw)
    sent = [await lab.desk.engine.submit(one) for one in raw]
    done = await asyncio.gather(*(future for _, future in sent))
    assert {one.status for one in done} == {"final"}
    assert max(one.height for one in done) < 50
    assert lab.account(WALLET) == 50


async def test_a_unit_that_waits_already_is_refused(lab: Lab) -> None:
    raw = transfer(lab, nonce=3)  # a gap: it waits
    await lab.desk.engine.submit(raw)
    with pytest.raises(ReplayError, match="waits already"):
        await lab.desk.engine.submit(raw)


async def test_reopening_gives_the_same_hash_height_and_tips(lab: Lab) -> None:
    for _ in range(3):
        await lab.send(WALLET, Transfer(to=b"t" * 32, amount=7, memo=""))
    await lab.close_epoch()
    before = (lab.node.chronicle.app_hash, lab.desk.view.head(), lab.desk.engine.parents())
    await lab.end()
    lab.begin()
    assert (lab.node.chronicle.app_hash, lab.desk.view.head(), lab.desk.engine.parents()) == before


async def test_the_chain_replays_to_its_own_hashes(lab: Lab) -> None:
    for _ in range(3):
        await lab.send(WALLET, Transfer(to=b"t" * 32, amount=7, memo=""))
        await lab.close_epoch()
    result = verify_data(lab.desk.view, lab.home.evidence)
    assert (result.height, result.epochs) == (lab.desk.view.head().height, 3)
    assert result.app_hash == lab.node.chronicle.app_hash.hex()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM block WHERE height = 2", "block 1 says state"),
        ("UPDATE node SET value = x'00' WHERE length(digest) < 32", "says state"),
        ("UPDATE block SET bytes = zeroblob(length(bytes)) WHERE height = 2", "block"),
    ],
)
async def test_a_damaged_ledger_is_refused_with_the_reason(
    lab: Lab, damage: str, message: str
) -> None:
    for _ in range(2):
        await lab.send(WALLET, Transfer(to=b"t" * 32, amount=7, memo=""))
    await lab.end()
    sql = sqlite3.connect(lab.home.ledger)
    sql.execute(damage)
    sql.commit()
    sql.close()
    with pytest.raises(Exception, match=message):
        Chain(lab.home.ledger, lab.genesis)
    sql = sqlite3.connect(lab.home.ledger)
    sql.execute("DELETE FROM block")
    sql.execute("DELETE FROM unit")
    sql.execute("DELETE FROM state")
    sql.execute("DELETE FROM node")
    sql.commit()
    sql.close()
    lab.begin()  # so that the fixture can end it


async def test_a_full_disk_refuses_the_block_and_loses_nothing(lab: Lab) -> None:
    await lab.end()
    chain = Chain(lab.home.ledger, lab.genesis)
    bench = Bench(chain, lab.identity.keys, lab.genesis.preset)
    pages = chain._connection.execute("PRAGMA page_count").fetchone()[0]
    chain._connection.execute(f"PRAGMA max_page_count = {pages}")
    units = [bench.admit(transfer(lab, nonce)) for nonce in range(200)]
    before = chain.machine.app_hash
    with pytest.raises(StorageError, match="nothing was changed"):
        bench.produce()
    assert chain.machine.app_hash == before
    assert chain.head.height == 0
    chain._connection.execute("PRAGMA max_page_count = 1000000")
    made = bench.produce()
    assert made is not None
    assert [one.unit for one in made[1]] == [unit.id for unit in units]
    bench.close()
    lab.begin()
    assert lab.desk.view.head().height == 1


class Pool:
    """A mempool and wallet units to fill it with."""

    def __init__(self, lab: Lab) -> None:
        self.pool = Mempool()
        self.unit = lambda nonce: parse_unit(transfer(lab, nonce), lab.desk.view.network, 1 << 20)


async def test_the_mempool_is_bounded_in_units_bytes_and_share(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Pool(lab)
    made.pool.add(made.unit(0), 0.0)
    with pytest.raises(ReplayError):
        made.pool.add(made.unit(0), 0.0)
    monkeypatch.setattr(mempool_module, "ISSUER_UNITS_MAX", 1)
    with pytest.raises(LimitError, match="wait already"):
        made.pool.add(made.unit(1), 0.0)
    monkeypatch.setattr(mempool_module, "BYTES_MAX", made.pool.bytes)
    with pytest.raises(UnavailableError, match="try again"):
        made.pool.add(made.unit(1), 0.0)
    made.pool.remove([made.unit(0).id])
    assert (len(made.pool), made.pool.bytes) == (0, 0)


async def test_a_unit_that_no_block_can_take_is_given_up_and_told(lab: Lab) -> None:
    now = [0.0]
    await lab.end()
    chain = Chain(lab.home.ledger, lab.genesis)
    bench = bench_module.Bench(chain, lab.identity.keys, lab.genesis.preset, lambda: now[0])
    gap = bench.admit(transfer(lab, nonce=5))
    assert bench.produce() is None
    assert bench.expire() == []
    now[0] = mempool_module.AGE_SECONDS_MAX + 1
    assert bench.expire() == [gap.id]
    bench.close()
    lab.begin()


async def test_an_expired_unit_fails_its_waiter(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    _, future = await lab.desk.engine.submit(transfer(lab, nonce=5))
    monkeypatch.setattr(mempool_module, "AGE_SECONDS_MAX", -1.0)
    await lab.desk.engine._expire()
    with pytest.raises(ExpiredError, match="check nonce and parents"):
        await future


async def test_of_two_units_with_one_nonce_the_loser_is_told_at_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mempool_module, "AGE_SECONDS_MAX", float("inf"))  # it is told of no age
    _, first = await lab.desk.engine.submit(transfer(lab, nonce=0, amount=1))
    _, second = await lab.desk.engine.submit(transfer(lab, nonce=0, amount=2))
    done = await asyncio.wait_for(
        asyncio.gather(first, second, return_exceptions=True), DEADLINE_SECONDS
    )
    assert sorted(type(one).__name__ for one in done) == ["ExpiredError", "Inclusion"]


async def test_new_units_always_have_two_to_eight_distinct_known_parents(lab: Lab) -> None:
    tips = Tips(root_units(lab.genesis))
    units = [parse_unit(transfer(lab, n), lab.desk.view.network, 1 << 20) for n in range(20)]
    for size in (1, 2, 9, 8):
        tips.advance(units[:size])
        parents = tips.parents()
        assert 2 <= len(set(parents)) == len(parents) <= PARENTS_MAX
        assert parents == sorted(parents, key=bytes)
        units = units[size:]


@pytest.mark.chaos
def test_kill_9_in_the_middle_of_blocks_forgets_nothing_acknowledged(tmp_path: Path) -> None:
    """One chain, killed at seeded moments: every told block is there, with the hash it was told."""
    seed = int(os.environ.get("CHAOS_SEED") or time.time())
    draw = random.Random(seed)
    told: dict[int, dict[str, object]] = {}
    for kill in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, engine_child.__file__, str(tmp_path)],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        for _ in range(draw.randrange(1, 6)):
            line = json.loads(child.stdout.readline())
            told[line["height"]] = line
        _spin(draw.random() * 0.02)
        child.kill()
        rest, _ = child.communicate()
        for text in rest.splitlines():
            line = _whole(text)
            told |= {line["height"]: line} if line else {}
        _check(tmp_path, told, f"seed {seed}, kill {kill}")


def _whole(text: bytes) -> dict:
    """A told block; the last line may have been cut by the kill."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _spin(seconds: float) -> None:
    """To the microsecond, where a sleep would always end between the same steps."""
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        pass


def _check(directory: Path, told: dict[int, dict[str, object]], what: str) -> None:
    chain = Chain(directory / "ledger.sqlite", engine_child.GENESIS)
    try:
        assert chain.head.height >= max(told), what
        for height, line in told.items():
            row = chain._connection.execute(
                "SELECT bytes FROM block WHERE height = ?", (height,)
            ).fetchone()
            assert row is not None, what
            assert engine_child.described(row[0]) == line, what
            for (unit,) in chain._connection.execute(
                "SELECT bytes FROM unit WHERE height = ?", (height,)
            ):
                parsed = parse_unit(unit, chain.machine.network, 1 << 20)
                assert cid_text(parsed.id) in line["units"], what
    finally:
        chain.close()
