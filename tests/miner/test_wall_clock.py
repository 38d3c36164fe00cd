"""What lasts days is counted in the ledger's epochs: no jump of the wall clock changes it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.chain.sight import LedgerTime, Sight
from cybervein_miner.disk.rack import Rack
from cybervein_miner.node.settings import TRASH_SECONDS
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.index import HeldShard, ShardState, put_shard
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.scrub import INTERVAL_SECONDS, Scrubber
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.trash import Trash
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import sign_headers

EPOCH_SECONDS = 900
DAY_EPOCHS = 24 * 3600 // EPOCH_SECONDS
JUMPS = (400 * 86_400, -400 * 86_400)
DATA = b"customer" * 100
ROOT = blake3(DATA).digest()
DEAL = node_cid(b"\xa0")


class Shelf:
    """One disk with one shard, and the epoch that the miner heard of last."""

    def __init__(self, folder: Path) -> None:
        (folder / "disk").mkdir()
        self.journal = Journal(folder / "miner.sqlite")
        self.rack = Rack(KeyPair(b"k" * 32), self.journal, floor=0)
        assert self.rack.open([folder / "disk"]) == []
        self.disk = self.rack.disks[0]
        self.restart(epoch=10_000)
        self.hold(changed=self.time())

    def restart(self, epoch: int) -> None:
        self.journal.write_now(
            lambda db: db.execute("INSERT OR REPLACE INTO counter VALUES ('epoch', ?)", (epoch,))
        )
        self.time = LedgerTime(Sight(self.journal), EPOCH_SECONDS)
        self.store = ShardStore(self.rack, self.journal, self.time)
        self.trash = Trash(self.rack, self.journal, TRASH_SECONDS, self.time)
        self.scrubber = Scrubber(self.store, lambda _: None, self.time)

    def hold(self, changed: int) -> None:
        path = shard_path(self.disk, ROOT)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(DATA)
        row = HeldShard(ROOT, self.disk.id, len(DATA), ShardState.HELD, changed)
        self.journal.write_now(lambda db: put_shard(db, row))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture(params=JUMPS, ids=["+400 days", "-400 days"])
def jump(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    wall = time.time

    def now() -> None:
        monkeypatch.setattr(time, "time", lambda: wall() + request.param)

    return now


async def test_the_trash_keeps_its_day_whatever_the_wall_clock_does(
    shelf: Shelf, jump: Callable[[], None]
) -> None:
    await shelf.store.delete(ROOT, DEAL)
    jump()
    assert shelf.trash.purge() == 0
    shelf.restart(epoch=10_000 + DAY_EPOCHS)
    assert shelf.trash.purge() == 0
    assert trash_path(shelf.disk, ROOT).read_bytes() == DATA
    shelf.restart(epoch=10_000 + DAY_EPOCHS + 1)
    assert shelf.trash.purge() == 1
    assert not trash_path(shelf.disk, ROOT).exists()


def test_a_scrub_is_due_after_its_epochs_whatever_the_wall_clock_does(
    shelf: Shelf, jump: Callable[[], None]
) -> None:
    jump()
    assert not shelf.scrubber.step()
    shelf.restart(epoch=10_000 + INTERVAL_SECONDS // EPOCH_SECONDS + 1)
    assert shelf.scrubber.step()
    assert not shelf.scrubber.step()


async def test_marks_of_a_release_that_used_the_wall_clock_begin_anew(shelf: Shelf) -> None:
    wall = int(time.time())
    shelf.hold(changed=wall)
    assert shelf.scrubber.step(), "when it was verified is not known"
    assert not shelf.scrubber.step()
    await shelf.store.delete(ROOT, DEAL)
    sql = "UPDATE shard SET changed = ?"
    shelf.journal.write_now(lambda db: db.execute(sql, (wall + 400 * 86_400,)))
    assert shelf.trash.purge() == 0
    shelf.restart(epoch=10_000 + DAY_EPOCHS + 1)
    assert shelf.trash.purge() == 1


def test_before_the_first_epoch_what_was_never_verified_is_verified_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.restart(epoch=0)
    shelf.hold(changed=0)
    assert shelf.scrubber.step()
    assert not shelf.scrubber.step()


def test_requests_are_signed_by_the_clock_that_is_handed_in() -> None:
    url = "http://127.0.0.1:1/v1/miners/cv/release"
    signed = sign_headers(KeyPair(b"k" * 32), "POST", url, body=b"", clock=lambda: 1_000.9)
    assert ";created=1000;" in " ".join(signed.values())
