"""Claims come back from the ledger: who may read and delete a shard that the journal forgot.

A lost journal leaves shards without a claim, an old one lacks those that came since, or calls trash
what was stored again. The ledger names every shard that this miner must hold, its deal and owner;
what is on a disk is held again, and scrubbed soon, as nobody looked at its bytes.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Final

import structlog
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.super_node.holdings import OwedShard
from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import StorageError, UnknownError
from cybervein_protocol.signing import parse_address
from cybervein_runtime.files import sync_directory
from cybervein_runtime.parameters import parse_root

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.disk.disk import Disk
from cybervein_miner.shard.index import Claim, HeldShard, ShardState, put_claim, put_shard
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.store import ShardStore

PAGES_MAX: Final = 100_000
_UNSERVED = (ShardState.TRASH, ShardState.LOST)
_COUNTS: Final = """
SELECT (SELECT count(*) FROM claim),
       (SELECT count(*) FROM shard WHERE state = 'held' AND root NOT IN (SELECT root FROM claim))
"""
_log = structlog.get_logger()


class ClaimsBack:
    """Looks when the ledger has more here than the journal, once for each way they differ."""

    def __init__(self, store: ShardStore, super_node: MinersSuperNode, miner: str) -> None:
        self._store, self._super_node, self._miner = store, super_node, miner
        self._seen: tuple[int, int] | None = None
        self._differs: tuple[int, int, int] | None = None
        self._looked: tuple[int, int, int] | None = None
        self._asked = False
        """Whether the ledger said since the start what of the trash it still counts on."""

    def due(self, held: int, epoch: int) -> bool:
        """Whether claims are missing; `held` is the ledger's count. Counted once an epoch."""
        if (held, epoch) != self._seen:
            self._seen, self._differs = (held, epoch), self._difference(held)
        if held and not self._asked and self._store.index.totals().trash:
            return True  # an old journal's counts may agree by chance
        return self._differs is not None and self._differs != self._looked

    def _difference(self, held: int) -> tuple[int, int, int] | None:
        [(claims, unclaimed)] = self._store.journal.read(_COUNTS)
        return (held, claims, unclaimed) if claims < held or (unclaimed and held) else None

    async def look(self, held: int) -> None:
        """Ask the ledger for all that this miner must hold, and claim what is here."""
        differed, after, back, missing = self._differs is not None, "", 0, 0
        self._looked = self._differs
        try:
            for _ in range(PAGES_MAX):
                page = await self._super_node.owed_shards(self._miner, after)
                found = await asyncio.to_thread(self._claim, page.shards)
                back, missing = back + found, missing + len(page.shards) - found
                if page.next is None:
                    break
                after = page.next
        except UnknownError:
            self._asked = True
            return  # a super node of 0.2.0 cannot tell
        self._asked = True
        self._differs = self._looked = self._difference(held)
        if differed:
            _log.warning(
                "claims of shards were taken from the ledger", here=back, on_no_disk=missing
            )

    def _claim(self, shards: Sequence[OwedShard]) -> int:
        """Claim those that are on a disk; how many are."""
        rows: list[HeldShard] = []
        claims: list[tuple[bytes, Claim]] = []
        for shard in shards:
            root = parse_root(shard.root)
            row = self._store.index.find(root)
            if row is None or row.state in _UNSERVED:
                found = self._found(root)
                if found is None:
                    continue
                rows.append(found)
            deal, owner = parse_cid(shard.deal, "deal"), parse_address(shard.owner)
            claims.append((root, Claim(deal, shard.segment, shard.index, owner)))

        def work(connection: sqlite3.Connection) -> None:
            for row in rows:
                put_shard(connection, row)
                connection.execute("UPDATE shard SET scrubbed = 0 WHERE root = ?", (row.root,))
            for root, claim in claims:
                put_claim(connection, root, claim)

        self._store.journal.write_now(work)
        return len(claims)

    def _found(self, root: bytes) -> HeldShard | None:
        """The shard as it lies on some disk, brought back from the trash if it is there."""
        for disk in self._store.rack.disks:
            try:
                with disk.guard("look for a shard"):
                    size = _size_on(disk, root)
            except (StorageError, FileNotFoundError):
                continue
            if size is not None:
                return HeldShard(root, disk.id, size, ShardState.HELD, self._store.now())
        return None


def _size_on(disk: Disk, root: bytes) -> int | None:
    path, thrown = shard_path(disk, root), trash_path(disk, root)
    if not path.exists() and thrown.exists() and disk.state is DiskState.READY:
        path.parent.mkdir(exist_ok=True)
        thrown.replace(path)
        sync_directory(path.parent)
    return path.stat().st_size if path.exists() else None
