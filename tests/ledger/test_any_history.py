"""Any history of valid and invalid units: books balance, voids leave no trace, replay agrees."""

from typing import NamedTuple

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.ledger.accounts.fees import deal_escrow, size_kib
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.block import Block, header_of
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.chain.replay import replay
from cybervein_protocol.ledger.mining.bodies import (
    MinerDrain,
    MinerRegister,
    MinerUpdate,
    PlotBatch,
    PlotRetire,
    PlotVerdict,
)
from cybervein_protocol.ledger.mining.measurements import (
    AuditResult,
    BandwidthEntry,
    BandwidthResult,
    Outcome,
    SpaceResult,
)
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.rows import SHARDS, shard_id
from cybervein_protocol.ledger.storage.bodies import (
    DealClose,
    DealOpen,
    DealRenew,
    ShardLost,
    ShardMoved,
)
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.presets import TEST
from cybervein_protocol.space.seed import plot_seed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from ledger_chain import ZERO, Chain, audit_entry, keys, plot_entry, space_entry
from multiformats import CID

NAMES = st.sampled_from(["a", "b", "c", "a", "b", "c", "d"])
PAYERS = st.sampled_from(["customer", "friend", "customer", "a payout"])
SIZES = st.integers(0, 5000)
OUTCOMES = st.sampled_from(["passed", "passed", "wrong", "timeout", "verifier"])


class Deal(NamedTuple):
    """A deal that was opened, or tried to be."""

    id: CID
    owner: str
    size: int
    n: int


class History(RuleBasedStateMachine):
    """Each rule is one block; a twin machine executes the same blocks from the same genesis."""

    batches = Bundle("batches")
    deals = Bundle("deals")

    @initialize(target=deals)
    def found(self) -> Deal:
        """Three miners with plots that count, and a deal at two of them; `d` is unknown yet."""
        self.chain = Chain()
        self.twin = StateMachine(self.chain.genesis, MemoryStore())
        self.chain.miners(a=3, b=3, c=3)
        deal = Deal(self.chain.store_deal(3000, "a", "b").id, "customer", 3000, 2)
        for block in self.chain.blocks:
            self.follow(block)
        return deal

    def follow(self, block: Block) -> None:
        """The twin executes the same block."""
        units = [self.twin.check_tx(self.chain.units[cid]) for cid in block.units]
        self.twin.finalize_block(header_of(block), units)
        assert self.twin.commit() == block.app_hash

    def act(self, who: str, body: Body) -> CID:
        """One unit, valid or not; the properties that every unit must have."""
        chain = self.chain
        before = dict(chain.store.rows)
        unit = chain.unit(who, body)
        try:
            result = chain.block(unit)
        except ConflictError:
            assert chain.store.rows == before
            return unit.id
        self.follow(chain.blocks[-1])
        if result.voids:
            self.assert_only_paid(before, unit.unit.issuer)
        return unit.id

    def assert_only_paid(self, before: dict[bytes, bytes], issuer: bytes) -> None:
        after = self.chain.store.rows
        touched = {key for key in before.keys() | after if before.get(key) != after.get(key)}
        assert {key for key in touched if not key.startswith((b"meta/", b"unit/"))} == {
            b"acct/" + issuer
        }

    @rule(who=PAYERS, to=PAYERS, amount=st.integers(1, 1 << 52))
    def transfer(self, who: str, to: str, amount: int) -> None:
        self.act(who, Transfer(to=keys(to).public, amount=amount, memo=""))

    @rule(name=NAMES, group=st.sampled_from(["rack", ""]))
    def register(self, name: str, group: str) -> None:
        body = MinerRegister(
            vrf=ZERO,
            payout=keys(name + " payout").public,
            url="http://miner.example",
            group=group or name,
            owner="",
        )
        self.act(name, body)

    @rule(name=NAMES, payout=PAYERS)
    def update(self, name: str, payout: str) -> None:
        body = MinerUpdate(payout=keys(payout).public, url="http://moved.example")
        self.act(name, body)

    @rule(
        target=batches,
        name=NAMES,
        plots=st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True),
        bond=st.sampled_from([0, 0, 1, TEST.bond_per_plot_veins]),
    )
    def batch(self, name: str, plots: list[int], bond: int) -> CID:
        entries = [plot_entry(name, index) for index in plots]
        return self.act(name, PlotBatch(plots=entries, bond=bond))

    @rule(batch=batches, passed=st.booleans(), reason=st.sampled_from(["", "bad", "no answer"]))
    def verdict(self, batch: CID, passed: bool, reason: str) -> None:  # noqa: FBT001 -- drawn
        body = PlotVerdict(
            batch=batch, epoch=self.chain.epoch, passed=passed, reason=reason, evidence=ZERO
        )
        self.act("super", body)

    @rule(name=NAMES, draining=st.booleans())
    def drain(self, name: str, draining: bool) -> None:  # noqa: FBT001 -- drawn
        self.act(name, MinerDrain(draining=draining))

    @rule(name=NAMES, plots=st.lists(st.integers(0, 4), min_size=1, max_size=2))
    def retire(self, name: str, plots: list[int]) -> None:
        mus = [
            plot_seed(keys(name).public, index, TEST.plot_rows_log2, TEST.plot_layers)
            for index in plots
        ]
        self.act(name, PlotRetire(plots=mus))

    @rule(name=NAMES, plots=st.integers(0, 10), epochs_ago=st.sampled_from([0, 0, 0, 1]))
    def space(self, name: str, plots: int, epochs_ago: int) -> None:
        body = SpaceResult(
            epoch=max(0, self.chain.epoch - epochs_ago), results=[space_entry(name, plots, TEST)]
        )
        self.act("super", body)

    @rule(name=NAMES, speed=st.integers(0, 1 << 40))
    def bandwidth(self, name: str, speed: int) -> None:
        entry = BandwidthEntry(miner=keys(name).public, bytes_per_second=speed, evidence=ZERO)
        body = BandwidthResult(epoch=self.chain.epoch, results=[entry])
        self.act("super", body)

    @rule(names=st.lists(NAMES, min_size=1, max_size=4), outcome=OUTCOMES)
    def audit(self, names: list[str], outcome: Outcome) -> None:
        entries = [audit_entry(name, outcome) for name in names]
        self.act("super", AuditResult(epoch=self.chain.epoch, results=entries))

    @rule(
        target=deals,
        who=PAYERS,
        size=SIZES,
        n=st.integers(1, 3),
        epochs=st.integers(1, 5),
        extra=st.integers(-5, 500),
    )
    def open(self, who: str, size: int, n: int, epochs: int, extra: int) -> Deal:
        escrow = max(0, deal_escrow(size_kib(size) * n, epochs, TEST) + extra)
        body = DealOpen(size=size * n, segments=1, k=1, n=n, epochs=epochs, escrow=escrow)
        return Deal(self.act(who, body), who, size, n)

    @rule(
        deal=deals,
        names=st.permutations(["a", "b", "c", "d"]),
        wrong=st.sampled_from([0, 0, 0, 1]),
        honest=st.sampled_from([True, True, True, False]),
    )
    def commit(self, deal: Deal, names: list[str], wrong: int, honest: bool) -> None:  # noqa: FBT001 -- drawn
        segments = self.chain.segments(deal.id, deal.size, *names[: deal.n + wrong])
        if not honest:
            segments[0].shards[0] = self.chain.shard(deal.id, 1, 0, names[0], deal.size)
        self.act(deal.owner, self.chain.commit_body(deal.id, segments))

    @rule(deal=deals, epochs=st.integers(1, 3), escrow=st.integers(0, 1000))
    def renew(self, deal: Deal, epochs: int, escrow: int) -> None:
        body = DealRenew(deal=deal.id, epochs=epochs, escrow=escrow)
        self.act(deal.owner, body)

    @rule(deal=deals, who=PAYERS)
    def end(self, deal: Deal, who: str) -> None:
        self.act(who, DealClose(deal=deal.id))

    def holder(self, deal: Deal, index: int, guess: str) -> bytes:
        """Who holds the shard, or else a guess that will be wrong."""
        row = self.chain.machine.get(SHARDS, shard_id(cid_root(deal.id), 0, index))
        return row.miner if row else keys(guess).public

    @rule(deal=deals, index=st.integers(0, 1), source=NAMES, to=NAMES)
    def move(self, deal: Deal, index: int, source: str, to: str) -> None:
        entry = self.chain.shard(deal.id, 0, index, to, deal.size)
        body = ShardMoved(
            deal=deal.id,
            segment=0,
            index=index,
            from_=self.holder(deal, index, source),
            to=keys(to).public,
            root=entry.root,
            receipt=entry.receipt,
        )
        self.act("super", body)

    @rule(deal=deals, index=st.integers(0, 2), source=NAMES)
    def lose(self, deal: Deal, index: int, source: str) -> None:
        body = ShardLost(
            deal=deal.id,
            segment=0,
            index=index,
            from_=self.holder(deal, index, source),
            reason="gone",
        )
        self.act("super", body)

    @rule(count=st.sampled_from([1, 1, 1, 2, 5]))
    def close(self, count: int) -> None:
        for _ in range(count):
            self.chain.close()
            self.follow(self.chain.blocks[-1])

    @invariant()
    def books_balance(self) -> None:
        self.chain.check_books()

    def teardown(self) -> None:
        chain = self.chain
        assert smt.root_of(chain.machine.snapshot()) == chain.machine.app_hash
        hashes = replay(chain.genesis, chain.blocks, chain.units)
        assert hashes == [block.app_hash for block in chain.blocks]


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
