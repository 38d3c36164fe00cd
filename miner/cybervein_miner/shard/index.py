"""The shard index: which root lies on which disk, in which state, and who may order about it.

A root can be claimed several times (deal, segment, index); it is deleted with its last claim.

    held   served and audited          trash  deleted, bytes wait for their grace
    bad    bytes are not the root's    lost   the file is gone
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cybervein_protocol.cid import cid_of_bytes
from multiformats import CID

from cybervein_miner.record.journal import Journal


class ShardState(StrEnum):
    """State of a shard; see the module."""

    HELD = "held"
    BAD = "bad"
    LOST = "lost"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class HeldShard:
    """One root: `disk` is the disk's id in hex, `size` in bytes, `changed` in ledger time (s)."""

    root: bytes
    disk: str
    size: int
    state: ShardState
    changed: int

    @property
    def held(self) -> bool:
        """Whether it is served and audited."""
        return self.state is ShardState.HELD


@dataclass(frozen=True, slots=True)
class Claim:
    """A deal's claim on a root, and the owner who may read and delete it."""

    deal: CID
    segment: int
    place: int
    owner: bytes


@dataclass(frozen=True, slots=True)
class Totals:
    """Shards and bytes held, shards not well, and shards in the trash."""

    shards: int
    bytes: int
    bad: int
    lost: int
    trash: int
    trash_bytes: int


_COLUMNS = "SELECT root, disk, size, state, changed FROM shard"
_OUTBOARD_PARTS = 256


class ShardIndex:
    """Reads of the index; writes are functions that run inside a journal transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def find(self, root: bytes) -> HeldShard | None:
        """The row of a root."""
        rows = self._journal.read(f"{_COLUMNS} WHERE root = ?", (root,))
        return _row(rows[0]) if rows else None

    def claims(self, root: bytes) -> list[Claim]:
        """All claims on a root."""
        rows = self._journal.read(
            "SELECT deal, segment, place, owner FROM claim WHERE root = ?", (root,)
        )
        return [Claim(cid_of_bytes(deal, "deal"), s, p, owner) for deal, s, p, owner in rows]

    def deals(self) -> list[CID]:
        """All deals that claim something here."""
        rows = self._journal.read("SELECT DISTINCT deal FROM claim")
        return [cid_of_bytes(deal, "deal") for (deal,) in rows]

    def roots_of(self, deal: CID) -> set[bytes]:
        """All roots that a deal claims here."""
        rows = self._journal.read("SELECT DISTINCT root FROM claim WHERE deal = ?", (bytes(deal),))
        return {root for (root,) in rows}

    def in_state(self, state: ShardState, before: int, limit: int) -> list[HeldShard]:
        """Rows in `state` since before that time, oldest first."""
        sql = f"{_COLUMNS} WHERE state = ? AND changed < ? ORDER BY changed LIMIT ?"
        return [_row(row) for row in self._journal.read(sql, (state, before, limit))]

    def trash_on(self, disk: str, before: int, page: int) -> Iterator[HeldShard]:
        """All trash of a disk that came before that time, oldest first, read `page` by page."""
        sql = (
            f"{_COLUMNS} WHERE disk = ? AND state = ? AND changed < ? AND (changed, root) > (?, ?) "
            "ORDER BY changed, root LIMIT ?"
        )
        changed, root, more = -1, b"", True
        while more:
            values = (bytes.fromhex(disk), ShardState.TRASH, before, changed, root, page)
            rows = [_row(row) for row in self._journal.read(sql, values)]
            yield from rows
            more = len(rows) == page
            changed, root = (rows[-1].changed, rows[-1].root) if more else (changed, root)

    def trash_disks(self) -> list[str]:
        """Disks that have trash, those that were given up too."""
        rows = self._journal.read(
            "SELECT disk FROM shard_total WHERE state = ? AND shards > 0", (ShardState.TRASH,)
        )
        return [disk.hex() for (disk,) in rows]

    def newest(self, state: ShardState) -> int:
        """The latest time at which a row came to `state`; 0 if none is in it."""
        sql = "SELECT max(changed) FROM shard WHERE state = ?"
        [(changed,)] = self._journal.read(sql, (state,))
        return int(changed or 0)

    def on_disk(self, disk: str, limit: int, after: bytes = b"") -> list[HeldShard]:
        """The next held shards of a disk by root, behind the root `after`."""
        sql = f"{_COLUMNS} WHERE disk = ? AND state = ? AND root > ? ORDER BY root LIMIT ?"
        values = (bytes.fromhex(disk), ShardState.HELD, after, limit)
        return [_row(row) for row in self._journal.read(sql, values)]

    def to_scrub(self, disk: str, before: int, now: int) -> HeldShard | None:
        """The held shard of a disk that was verified longest ago, if before that time.

        A mark after `now` is of a release that used the wall clock: it says nothing.
        """
        sql = f"{_COLUMNS} WHERE disk = ? AND state = ? AND %s ORDER BY scrubbed LIMIT 1"
        for which, mark in (("scrubbed < ?", before), ("scrubbed > ?", now)):
            found = self._journal.read(sql % which, (bytes.fromhex(disk), ShardState.HELD, mark))
            if found:
                return _row(found[0])
        return None

    def bytes_on(self, disk: str) -> int:
        """Bytes of all files on a disk, trash and damaged ones too, with their outboards."""
        sql = "SELECT coalesce(sum(bytes), 0) FROM shard_total WHERE disk = ? AND state != ?"
        [(size,)] = self._journal.read(sql, (bytes.fromhex(disk), ShardState.LOST))
        return int(size) + int(size) // _OUTBOARD_PARTS

    def totals(self, disk: str | None = None) -> Totals:
        """Counts of one disk, or of all."""
        sql = (
            "SELECT state, sum(shards), sum(bytes) FROM shard_total "
            "WHERE disk = ?1 OR ?1 IS NULL GROUP BY state"
        )
        rows = self._journal.read(sql, (None if disk is None else bytes.fromhex(disk),))
        count = {state: number for state, number, _ in rows}
        held = sum(size for state, _, size in rows if state == ShardState.HELD)
        return Totals(
            count.get("held", 0),
            held,
            count.get("bad", 0),
            count.get("lost", 0),
            count.get("trash", 0),
            sum(size for state, _, size in rows if state == ShardState.TRASH),
        )


def _row(row: tuple[bytes, bytes, int, str, int]) -> HeldShard:
    root, disk, size, state, changed = row
    return HeldShard(root, disk.hex(), size, ShardState(state), changed)


def put_shard(connection: sqlite3.Connection, row: HeldShard) -> None:
    """Insert or replace a root's row; its bytes were just verified."""
    connection.execute(
        "INSERT INTO shard VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "disk = excluded.disk, size = excluded.size, state = excluded.state, "
        "changed = excluded.changed, scrubbed = excluded.scrubbed",
        (row.root, bytes.fromhex(row.disk), row.size, row.state, row.changed, row.changed),
    )


def put_claim(connection: sqlite3.Connection, root: bytes, claim: Claim) -> None:
    """Add a claim; the first owner of a place stays."""
    connection.execute(
        "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?)",
        (root, bytes(claim.deal), claim.segment, claim.place, claim.owner),
    )


def claim_held(connection: sqlite3.Connection, root: bytes, claim: Claim) -> bool:
    """Add a claim on a root that is held; whether it is."""
    sql = "SELECT 1 FROM shard WHERE root = ? AND state = ?"
    if not connection.execute(sql, (root, ShardState.HELD)).fetchall():
        return False
    put_claim(connection, root, claim)
    return True


def set_state(connection: sqlite3.Connection, root: bytes, state: ShardState, now: int) -> None:
    """Change a root's state."""
    connection.execute("UPDATE shard SET state = ?, changed = ? WHERE root = ?", (state, now, root))


def judge_held(connection: sqlite3.Connection, row: HeldShard, state: ShardState, now: int) -> None:
    """Change a held root's state, unless it lies elsewhere by now."""
    sql = "UPDATE shard SET state = ?, changed = ? WHERE root = ? AND disk = ? AND state = ?"
    values = (state, now, row.root, bytes.fromhex(row.disk), ShardState.HELD)
    connection.execute(sql, values)


def restamp_trash(connection: sqlite3.Connection, now: int) -> None:
    """Marks after `now` are of a release that used the wall clock: their grace begins now."""
    sql = "UPDATE shard SET changed = ? WHERE state = ? AND changed > ?"
    connection.execute(sql, (now, ShardState.TRASH, now))


def drop_trash(connection: sqlite3.Connection, root: bytes) -> bool:
    """Forget a root that is still in the trash; whether it was: it may have been sent again."""
    sql = "DELETE FROM shard WHERE root = ? AND state = ?"
    if connection.execute(sql, (root, ShardState.TRASH)).rowcount == 0:
        return False
    connection.execute("DELETE FROM claim WHERE root = ?", (root,))
    return True


def drop_claims(connection: sqlite3.Connection, root: bytes, deal: CID) -> int:
    """Remove a deal's claims on a root; how many claims of any deal are left."""
    connection.execute("DELETE FROM claim WHERE root = ? AND deal = ?", (root, bytes(deal)))
    [(left,)] = connection.execute("SELECT count(*) FROM claim WHERE root = ?", (root,)).fetchall()
    return int(left)


def drop_disk(connection: sqlite3.Connection, disk: str) -> None:
    """Forget every root of a disk wholly."""
    values = (bytes.fromhex(disk),)
    sql = "DELETE FROM claim WHERE root IN (SELECT root FROM shard WHERE disk = ?)"
    connection.execute(sql, values)
    connection.execute("DELETE FROM shard WHERE disk = ?", values)


def drop_shard(connection: sqlite3.Connection, root: bytes) -> None:
    """Forget a root wholly."""
    connection.execute("DELETE FROM claim WHERE root = ?", (root,))
    connection.execute("DELETE FROM shard WHERE root = ?", (root,))
