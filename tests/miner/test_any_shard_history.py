"""Any history of uploads, reads, deletions, damage and restarts: what was acknowledged is there."""

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from blake3 import blake3
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.index import Claim, ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.orders import OrderBook
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.tidy import tidy
from cybervein_miner.shard.trash import Trash
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import CyberVeinError, ProofError, ReplayError, UnknownError
from cybervein_protocol.messages import Order, sign_order
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.tree import verify_slice
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from miner_world import shard_bytes

KEY, OWNER = KeyPair(b"\1" * 32), KeyPair(b"\2" * 32)
DEALS = [node_cid(b"first"), node_cid(b"second")]
ROOMY = 100_000
SIZES = [1, 1024, 16_384, 40_000]
CONTENTS = [shard_bytes(size, seed) for seed, size in enumerate(SIZES)]
SHARDS = st.sampled_from(CONTENTS)
GRACE = 10


def order_of(name: int) -> Order:
    return sign_order(
        OWNER,
        network=DEALS[0],
        order_id=bytes([name]) * 32,
        deal=DEALS[0],
        miner=KEY.public,
        bearer=OWNER.public,
        verb="PUT",
        root=bytes(32),
        max_bytes=ROOMY,
        not_after_epoch=name,
    )


ORDERS = [order_of(name) for name in range(3)]


class ShardHistory(RuleBasedStateMachine):
    """The model: which root is claimed by which deals, which files are damaged, bytes per order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "disk").mkdir()
        self.claims: dict[bytes, set[int]] = {}
        self.states: dict[bytes, ShardState] = {}
        self.damaged: set[bytes] = set()
        self.used: dict[int, int] = {}
        self.now = 1000
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.folder / "miner.sqlite")
        self.rack = Rack(KEY, self.journal, floor=0)
        assert self.rack.open([self.folder / "disk"]) == []
        self.store = ShardStore(self.rack, self.journal, lambda: self.now)
        self.trash = Trash(self.rack, self.journal, GRACE, lambda: self.now)
        self.book = OrderBook(self.journal)
        assert tidy(self.rack.disks, self.journal, self.now) == []

    def path(self, root: bytes) -> Path:
        return shard_path(self.rack.disks[0], root)

    @rule(content=SHARDS, deal=st.integers(0, 1), name=st.integers(0, 2))
    def upload(self, content: bytes, deal: int, name: int) -> None:
        root, order = blake3(content).digest(), ORDERS[name]
        claim = Claim(DEALS[deal], 0, deal, OWNER.public)
        with self.store.receive(root, len(content)) as incoming:
            for start in range(0, len(content), 7000):
                incoming.write(memoryview(content)[start : start + 7000])
            incoming.finish()
            left = ROOMY - self.used.get(name, 0)
            try:
                asyncio.run(self.store.accept(incoming, claim, order))
            except ReplayError:
                assert len(content) > left
                if self.states.get(root) is not ShardState.HELD:
                    self.forget_file(root)
                return
        assert len(content) <= left
        self.used[name] = self.used.get(name, 0) + len(content)
        self.claims.setdefault(root, set()).add(deal)
        self.states[root] = ShardState.HELD
        self.damaged.discard(root)

    def forget_file(self, root: bytes) -> None:
        """Bytes that came for a refused order: the next start would adopt them, as the file is."""
        self.path(root).unlink(missing_ok=True)
        outboard_path(self.path(root)).unlink(missing_ok=True)

    @rule(content=SHARDS, cut=st.integers(0, 100), flip=st.booleans())
    def upload_of_other_bytes(self, content: bytes, cut: int, flip: bool) -> None:  # noqa: FBT001 -- drawn
        sent = content[: max(0, len(content) - cut)] + (b"x" if flip else b"")
        root = blake3(content).digest()
        if sent == content:
            return
        try:
            with self.store.receive(root, len(content)) as incoming:
                incoming.write(sent)
                incoming.finish()
        except CyberVeinError:
            return
        raise AssertionError("bytes of another root were stored")

    @rule(content=SHARDS, deal=st.integers(0, 1))
    def delete(self, content: bytes, deal: int) -> None:
        root = blake3(content).digest()
        asyncio.run(self.store.delete(root, DEALS[deal]))
        claims = self.claims.get(root, set())
        claims.discard(deal)
        if root in self.states and not claims:
            self.states[root] = ShardState.TRASH

    @rule(seconds=st.integers(0, 2 * GRACE))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.trash.purge()
        index = self.store.index
        for root in [r for r, state in self.states.items() if state is ShardState.TRASH]:
            if index.find(root) is None:
                del self.states[root]
                self.claims.pop(root, None)
                assert not self.path(root).exists()

    @rule(content=SHARDS, place=st.integers(0, 39_999))
    def rot(self, content: bytes, place: int) -> None:
        """A byte changes under a held shard."""
        root = blake3(content).digest()
        if self.states.get(root) is ShardState.HELD and root not in self.damaged:
            data = bytearray(self.path(root).read_bytes())
            data[place % len(data)] ^= 1
            self.path(root).write_bytes(data)
            self.damaged.add(root)

    @rule(content=SHARDS, junk=st.none() | st.binary(max_size=50))
    def lose_outboard(self, content: bytes, junk: bytes | None) -> None:
        path = outboard_path(self.path(blake3(content).digest()))
        if junk is None:
            path.unlink(missing_ok=True)
        elif path.exists():
            path.write_bytes(junk)

    @rule(content=SHARDS)
    def lose_file(self, content: bytes) -> None:
        root = blake3(content).digest()
        if self.states.get(root) is ShardState.HELD:
            self.path(root).unlink()
            try:
                self.store.reader.slice(self.store.reader.held(root), 0, 1)
            except UnknownError:
                self.states[root] = ShardState.LOST
            else:
                raise AssertionError("a slice of a file that is gone")

    @rule(content=SHARDS, chunk=st.integers(0, 39))
    def audit(self, content: bytes, chunk: int) -> None:
        """A slice proves itself, or the shard was damaged and is set aside."""
        root = blake3(content).digest()
        if self.states.get(root) is not ShardState.HELD:
            with suppress(UnknownError):
                self.store.reader.held(root)
                raise AssertionError("a shard that is not held was served")
            return
        chunk %= (len(content) + 1023) // 1024
        start = chunk * 1024
        try:
            data = self.store.reader.proven_slice(self.store.reader.held(root), chunk)
        except ProofError:
            assert root in self.damaged
            self.states[root] = ShardState.BAD
        else:
            expected = content[start : start + 1024]
            assert verify_slice(data, root, start, len(expected)) == expected

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.start()

    @invariant()
    def every_acknowledged_shard_is_there(self) -> None:
        index = self.store.index
        held = {root for root, state in self.states.items() if state is ShardState.HELD}
        for content in CONTENTS:
            root = blake3(content).digest()
            row = index.find(root)
            assert (row.state if row else None) == self.states.get(root)
            if root in held - self.damaged:
                assert self.path(root).read_bytes() == content
                deals = {DEALS.index(claim.deal) for claim in index.claims(root)}
                assert deals == self.claims[root]
        totals = index.totals()
        assert totals.shards == len(held)
        assert totals.bytes == sum(len(c) for c in CONTENTS if blake3(c).digest() in held)
        assert totals.trash == list(self.states.values()).count(ShardState.TRASH)

    @invariant()
    def no_order_is_used_beyond_its_limit(self) -> None:
        for name, order in enumerate(ORDERS):
            assert self.book.used(order) == self.used.get(name, 0) <= ROOMY

    @invariant()
    def nothing_half_written_stays(self) -> None:
        assert not list(self.rack.disks[0].folder("tmp").iterdir())

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)


TestAnyShardHistory = ShardHistory.TestCase
TestAnyShardHistory.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
