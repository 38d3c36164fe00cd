"""Claims come back from the ledger: owners are served, nothing of theirs is thrown away."""

from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.chain.sight import LedgerTime, Sight
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.claims import ClaimsBack
from cybervein_miner.shard.index import Claim, HeldShard, ShardState, put_claim, put_shard
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.tidy import tidy
from cybervein_protocol.api.super_node.holdings import OwedShard, OwedShardListing
from cybervein_protocol.encoding import cid_text, node_cid
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.signing import KeyPair, address

KEY, OWNER = KeyPair(b"k" * 32), KeyPair(b"o" * 32)
DEAL = node_cid(b"\xa0")
DATA = [bytes([n]) * 3000 for n in range(4)]
ROOTS = [blake3(data).digest() for data in DATA]


class Ledger:
    """Answers for the super node: two shards a page."""

    def __init__(self, roots: list[bytes], *, old: bool = False) -> None:
        self.roots, self.old, self.asked = roots, old, 0

    async def owed_shards(self, miner: str, after: str) -> OwedShardListing:
        self.asked += 1
        assert miner == address(KEY.public)
        if self.old:
            raise UnknownError("no such path")
        first = int(after or "0")
        page = list(enumerate(self.roots))[first : first + 2]
        owner, deal = address(OWNER.public), cid_text(DEAL)
        shards = [
            OwedShard(deal=deal, segment=7, index=n, root=root.hex(), size=3000, owner=owner)
            for n, root in page
        ]
        more = first + 2 < len(self.roots)
        return OwedShardListing(shards=shards, next=str(first + 2) if more else None)


@pytest.fixture
def store(tmp_path: Path) -> ShardStore:
    """All shards on a disk, the journal empty."""
    (tmp_path / "disk").mkdir()
    journal = Journal(tmp_path / "miner.sqlite")
    rack = Rack(KEY, journal, floor=0)
    assert rack.open([tmp_path / "disk"]) == []
    for root, data in zip(ROOTS, DATA, strict=True):
        path = shard_path(rack.disks[0], root)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return ShardStore(rack, journal, LedgerTime(Sight(journal), 900))


def claims_of(store: ShardStore, ledger: Ledger) -> ClaimsBack:
    return ClaimsBack(store, ledger, address(KEY.public))  # type: ignore[arg-type]


def adopt(store: ShardStore) -> None:
    assert len(tidy(store.rack.disks, store.journal, 1)) == len(ROOTS)


async def test_adopted_shards_get_their_deals_and_owners(store: ShardStore) -> None:
    adopt(store)
    ledger = Ledger(ROOTS[:3])
    claims = claims_of(store, ledger)
    assert claims.due(3, epoch=5)
    await claims.look(3)
    for n, root in enumerate(ROOTS[:3]):
        assert store.index.claims(root) == [Claim(DEAL, 7, n, OWNER.public)]
    assert store.index.claims(ROOTS[3]) == []
    assert ledger.asked == 2


async def test_it_asks_once_for_each_way_in_which_they_differ(store: ShardStore) -> None:
    adopt(store)
    claims = claims_of(store, Ledger(ROOTS[:3]))
    assert not claims.due(0, epoch=4), "the ledger has nothing here"
    await claims.look(3)
    for epoch in range(5, 8):
        assert not claims.due(3, epoch), "the fourth is nobody's, as the ledger said"
    assert claims.due(4, epoch=8)


async def test_in_step_nothing_is_asked(store: ShardStore) -> None:
    adopt(store)
    for n, root in enumerate(ROOTS):
        claim = Claim(DEAL, 7, n, OWNER.public)
        store.journal.write_now(lambda db, r=root, c=claim: put_claim(db, r, c))
    assert not claims_of(store, Ledger([])).due(4, epoch=5)


@pytest.mark.parametrize("state", [ShardState.TRASH, ShardState.LOST])
@pytest.mark.parametrize("place", [shard_path, trash_path])
async def test_what_an_old_journal_calls_trash_or_lost_is_held_again_where_the_ledger_has_it(
    store: ShardStore, state: ShardState, place: Callable[..., Path]
) -> None:
    disk, root = store.rack.disks[0], ROOTS[0]
    row = HeldShard(root, disk.id, 3000, state, 1)
    store.journal.write_now(lambda db: put_shard(db, row))
    shard_path(disk, root).rename(place(disk, root))
    claims = claims_of(store, Ledger([root]))
    assert claims.due(1, epoch=5)
    await claims.look(1)
    assert store.reader.held(root).held
    assert shard_path(disk, root).read_bytes() == DATA[0]
    assert store.index.to_scrub(disk.id, before=1, now=1) is not None, "its bytes are looked at"


async def test_what_is_on_no_disk_is_not_claimed(store: ShardStore) -> None:
    absent = blake3(b"gone").digest()
    claims = claims_of(store, Ledger([absent]))
    await claims.look(1)
    assert (store.index.claims(absent), store.index.find(absent)) == ([], None)


async def test_a_super_node_that_cannot_tell_is_asked_no_more_than_once(store: ShardStore) -> None:
    adopt(store)
    ledger = Ledger(ROOTS, old=True)
    claims = claims_of(store, ledger)
    assert claims.due(4, epoch=5)
    await claims.look(4)
    assert not claims.due(4, epoch=6)
    assert ledger.asked == 1


def test_a_shard_that_moved_between_disks_after_the_backup_is_found_where_it_lies(
    store: ShardStore, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = store.rack.add(tmp_path / "other")
    for root in ROOTS:
        row = HeldShard(root, other.id, 3000, ShardState.HELD, 1)
        store.journal.write_now(lambda db, row=row: put_shard(db, row))
    tidy(store.rack.disks, store.journal, 1)
    for root, data in zip(ROOTS, DATA, strict=True):
        with store.reader.open_file(store.reader.held(root)) as file:
            assert file.read() == data


@pytest.mark.parametrize("leaving", [False, True])
async def test_trash_is_asked_about_once_though_the_counts_agree_by_chance(
    store: ShardStore, *, leaving: bool
) -> None:
    """An old journal lacks the claim of a shard that it calls trash, and has one of an old deal."""
    adopt(store)
    disk, root = store.rack.disks[0], ROOTS[0]
    disk.leaving = leaving
    for n, each in enumerate(ROOTS[1:]):
        claim = Claim(DEAL, 7, n, OWNER.public)
        store.journal.write_now(lambda db, r=each, c=claim: put_claim(db, r, c))
    store.journal.write_now(
        lambda db: put_shard(db, HeldShard(root, disk.id, 3000, ShardState.TRASH, 1))
    )
    shard_path(disk, root).rename(trash_path(disk, root))
    ledger = Ledger(ROOTS[:2])
    claims = claims_of(store, ledger)
    assert claims.due(2, epoch=5)
    await claims.look(2)
    assert store.reader.held(root).held
    assert shard_path(disk, root).exists()
    assert not claims.due(2, epoch=5)
    assert ledger.asked == 1
