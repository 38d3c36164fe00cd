"""Which shards are to leave a miner that still has them: it drains, or asked to be relieved.

The ledger says who drains, the notebook who asked to be relieved of what. Nothing else is kept: a
restart begins where the ledger stands.
"""

from collections.abc import Mapping

from cybervein_protocol.ledger.state.rows import shard_id

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.desk import Desk


class Departures:
    """What waits to be moved, from the ledger and the notebook; methods block shortly."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def waiting(self) -> dict[bytes, list[bytes]]:
        """Ids of shard rows by the miner that they shall leave."""
        view = self._desk.view
        waiting = {
            key: view.shard_ids_of_miner(key)
            for key, row in view.miners()
            if row.drains and row.held_shards
        }
        for identity, miner in self._released().items():
            if not view.miner(miner).drains:
                waiting.setdefault(miner, []).append(identity)
        return waiting

    def promised(self, miner: bytes) -> int:
        """Shards of open deals that orders have named `miner` for: a commit may bring each here.

        Ask before the miner's row is read: of a deal committed in between, each shard is then seen
        twice, and never not at all.
        """
        deals = self._desk.notebook.promised_shards(miner)
        return sum(n for deal, n in deals.items() if self._desk.view.deal(deal).state == "open")

    def leaving(self, identity: bytes, miner: bytes) -> Shard | None:
        """The shard if it is still to leave that miner."""
        shard = self._desk.view.shard(identity)
        if shard is None or shard.row.miner != miner or shard.row.lost:
            return None
        asked = self._desk.notebook.releases().get(identity) == miner
        return shard if asked or self._desk.view.miner(miner).drains else None

    def release(self, miner: bytes, roots: list[bytes]) -> list[bytes]:
        """Remember what a miner asks to be relieved of; those of its roots that it still holds."""
        found = [
            shard
            for root in dict.fromkeys(roots)
            for shard in self._desk.view.shards_of_root(root)
            if shard.row.miner == miner and not shard.row.lost
        ]
        identities = [shard_id(each.deal, each.segment, each.index) for each in found]
        self._desk.notebook.set_release(miner, identities)
        return list(dict.fromkeys(each.row.root for each in found))

    def _released(self) -> Mapping[bytes, bytes]:
        """Requests that still mean something; the others are forgotten."""
        found = {}
        for identity, miner in self._desk.notebook.releases().items():
            shard = self._desk.view.shard(identity)
            if shard is None or shard.row.miner != miner or shard.row.lost:
                self._desk.notebook.drop_release(identity)
            else:
                found[identity] = miner
        return found
