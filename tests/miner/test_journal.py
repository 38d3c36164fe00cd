"""The journal: nothing acknowledged is lost, nothing half-done is kept."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from cybervein_miner.record import journal as module
from cybervein_miner.record.journal import SCHEMA, Journal
from cybervein_miner.shard import index as writes
from cybervein_miner.shard.index import Claim, HeldShard, ShardIndex, ShardState
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_runtime.database import DamagedError
from hypothesis import given
from hypothesis import strategies as st

DEAL = node_cid(b"\xa0")


def counted(journal: Journal) -> int:
    return int(journal.read("SELECT coalesce(sum(value), 0) FROM counter")[0][0])


def add(name: str) -> object:
    return lambda db: db.execute("INSERT INTO counter VALUES (?, 1)", (name,))


async def test_concurrent_writes_are_all_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    await asyncio.gather(*(journal.write(add(str(n)), durable=n % 3 == 0) for n in range(1000)))
    assert counted(journal) == 1000
    journal.close()
    assert counted(Journal(tmp_path / "j")) == 1000


async def test_a_write_that_fails_takes_nobody_with_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")

    def fails(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO counter VALUES ('half', 1)")
        raise ConflictError("no")

    results = await asyncio.gather(
        *(journal.write(fails if n == 5 else add(str(n))) for n in range(10)),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    assert [type(r) for r in results if isinstance(r, Exception)] == [ConflictError]
    assert counted(journal) == 9


def test_a_bug_in_one_write_does_not_stop_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")

    def bug(_: sqlite3.Connection) -> None:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        journal.write_now(bug)
    journal.write_now(add("later"))
    assert counted(journal) == 1


def test_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute("PRAGMA user_version=99")
    with pytest.raises(StorageError, match=r"version 99.*knows versions up to 1"):
        Journal(tmp_path / "j")


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="cannot open"):
        Journal(tmp_path / "j")


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "mark", "drop"]),
        st.integers(0, 4),
        st.sampled_from(list(ShardState)),
        st.integers(1, 1000),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(steps)
def test_totals_are_the_sums_of_the_rows(
    steps: list[tuple[str, int, ShardState, int, int]],
) -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(SCHEMA)
    for what, number, state, size, disk in steps:
        root = bytes([number]) * 32
        if what == "put":
            writes.put_shard(database, HeldShard(root, f"{disk:02x}" * 16, size, state, 1))
        elif what == "mark":
            writes.set_state(database, root, state, 2)
        else:
            writes.drop_shard(database, root)
    rows = database.execute(
        "SELECT disk, state, count(*), sum(size) FROM shard GROUP BY disk, state"
    ).fetchall()
    totals = database.execute("SELECT * FROM shard_total WHERE shards > 0").fetchall()
    assert sorted(totals) == sorted(rows)


def test_a_root_leaves_with_its_last_claim(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    root, other = b"\x01" * 32, node_cid(b"\xa1\x61a\x01")
    row = HeldShard(root, "00" * 16, 5, ShardState.HELD, 1)
    journal.write_now(lambda db: writes.put_shard(db, row))
    for deal in (DEAL, other):
        claim = Claim(deal, 0, 1, b"\x02" * 32)
        journal.write_now(lambda db, claim=claim: writes.put_claim(db, root, claim))
    index = ShardIndex(journal)
    assert len(index.claims(root)) == 2
    assert journal.write_now(lambda db: writes.drop_claims(db, root, DEAL)) == 1
    assert journal.write_now(lambda db: writes.drop_claims(db, root, other)) == 0
    assert index.deals() == []


def test_a_disk_that_errs_under_the_journal_is_no_damage_and_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    journal.write_now(lambda db: db.execute("ALTER TABLE counter RENAME TO other"))
    with pytest.raises(StorageError, match=r"miner's journal .*: no such table") as told:
        journal.read("SELECT * FROM counter")
    assert not isinstance(told.value, DamagedError)
    journal.close()

    class Failing:
        def execute(self, _: str) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        def close(self) -> None:
            """As a connection."""

    monkeypatch.setattr(module, "open_database", lambda *_: Failing())
    with pytest.raises(StorageError, match="disk I/O error; look at its disk") as told:
        Journal(tmp_path / "j")
    assert not isinstance(told.value, DamagedError), "it is not to be set aside"
