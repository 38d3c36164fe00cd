"""Any history of the mempool, of rate limits, of rows on disk, and any restart of an epoch."""

import sqlite3

import pytest
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import ReplayError
from cybervein_protocol.ledger.mining.bodies import MinerDrain
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.units.unit import ParsedUnit, make_unit
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair
from cybervein_supernode.api.limits import Buckets
from cybervein_supernode.chain.row_store import RowStore
from cybervein_supernode.clock.timeline import begin, resume
from cybervein_supernode.engine.mempool import AGE_SECONDS_MAX, Mempool
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

ISSUERS = [KeyPair(bytes([name]) * 32) for name in (1, 2, 3)]
NETWORK = node_cid(b"network")


def parsed(issuer: int, nonce: int) -> ParsedUnit:
    """A unit as the pool sees it; nothing here looks into its body."""
    raw = bytes([issuer]) * (nonce + 1)
    body = MinerDrain(draining=True)
    unit = make_unit(NETWORK, body, parents=[], key=ISSUERS[issuer], nonce=nonce, fee=0)
    return ParsedUnit(node_cid(raw), unit, body, raw)


class PoolHistory(RuleBasedStateMachine):
    """The model: units in order of arrival, with their times."""

    @initialize()
    def start(self) -> None:
        self.pool = Mempool()
        self.waiting: dict[tuple[int, int], float] = {}
        self.now = 0.0

    @rule(issuer=st.integers(0, 2), nonce=st.integers(0, 9))
    def add(self, issuer: int, nonce: int) -> None:
        if (issuer, nonce) in self.waiting:
            with pytest.raises(ReplayError):
                self.pool.add(UNITS[issuer, nonce], self.now)
        else:
            self.pool.add(UNITS[issuer, nonce], self.now)
            self.waiting[issuer, nonce] = self.now

    @rule(names=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=5))
    def a_block_takes(self, names: list[tuple[int, int]]) -> None:
        self.pool.remove(UNITS[name].id for name in names)
        for name in names:
            self.waiting.pop(name, None)

    @rule(seconds=st.floats(0, 2 * AGE_SECONDS_MAX))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        old = [name for name, then in self.waiting.items() if self.now - then > AGE_SECONDS_MAX]
        assert self.pool.expired(self.now) == [UNITS[name].id for name in old]

    @invariant()
    def the_pool_is_the_model(self) -> None:
        units = [UNITS[name] for name in self.waiting]
        assert self.pool.units() == units
        assert len(self.pool) == len(units)
        assert self.pool.bytes == sum(unit.size for unit in units)
        for number, issuer in enumerate(ISSUERS):
            mine = sum(name[0] == number for name in self.waiting)
            assert self.pool.of_issuer(issuer.public) == mine
        assert all((unit.id in self.pool) == (unit in units) for unit in UNITS.values())


UNITS = {(issuer, nonce): parsed(issuer, nonce) for issuer in range(3) for nonce in range(10)}
TestAnyPool = PoolHistory.TestCase
TestAnyPool.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["a", "b"])), max_size=60),
    st.floats(0.1, 5),
    st.integers(1, 8),
)
def test_no_address_gets_more_than_its_burst_and_its_rate(
    steps: list[tuple[float, str]], rate: float, burst: int
) -> None:
    now = 0.0
    buckets = Buckets(lambda: now, rate, float(burst))
    taken = {"a": 0, "b": 0}
    for wait, address in steps:
        now += wait
        taken[address] += buckets.take(address)
        assert taken[address] <= burst + now * rate + 1e-6


KEYS = st.binary(min_size=1, max_size=3).map(lambda rest: b"acct/" + rest)
CHANGES = st.dictionaries(KEYS, st.none() | st.binary(min_size=1, max_size=4), max_size=6)


@given(st.lists(st.tuples(CHANGES, CHANGES), max_size=6), st.binary(max_size=2))
def test_rows_on_disk_are_those_in_memory(
    batches: list[tuple[dict[bytes, bytes | None], dict[bytes, bytes | None]]], rest: bytes
) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    connection.execute("CREATE TABLE node (digest BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    disk, memory = RowStore(connection), MemoryStore()
    for rows, nodes in batches:
        disk.write(rows, nodes)
        memory.write(rows, nodes)
    prefix = b"acct/" + rest
    assert list(disk.scan(prefix)) == list(memory.scan(prefix))
    for key in {key for rows, nodes in batches for key in (*rows, *nodes)}:
        assert disk.get(key) == memory.get(key)
        assert disk.node(key) == memory.node(key)


@given(
    st.integers(2, 10**6).flatmap(lambda long: st.tuples(st.just(long), st.integers(1, long - 1))),
    st.integers(0, 10**6).map(float),
    st.booleans(),
)
def test_a_restart_begins_the_interrupted_part_again(
    seconds: tuple[int, int],
    now: float,
    results_issued: bool,  # noqa: FBT001 -- drawn
) -> None:
    long, deadline = seconds
    preset = replace(TEST, epoch_seconds=long, proof_deadline_seconds=deadline)
    line = resume(preset, 7, now, results_issued=results_issued)
    assert line.open_for_proofs(now) == (not results_issued)
    assert line.ends - line.deadline == pytest.approx(long - deadline)
    assert line.ends >= now
    if not results_issued:
        assert line == begin(preset, 7, now)
