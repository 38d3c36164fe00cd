"""Disks that a miner misses and nobody lists: a pool that was made again with one disk less.

Its MinerDisks went with the pool, its claims stayed, and so did the journal, which knows the disk.
Where the claim is still there it gets a MinerDisk again: it is mounted as a disk that leaves, and
emptied. A claim that no miner asks for is let be: drained disks leave theirs behind, too.
"""

from collections.abc import Iterator

from cybervein_protocol.api.disk_state import DiskState

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import miner, names
from cybervein_operator.desired.facts import DISKS_DIR, Volume
from cybervein_operator.miners.report import Report, name_of
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Key, World


async def list_again(tools: Tools, pool: MinerPool, key: Key) -> None:
    """Make a MinerDisk for each disk that the miner misses and whose claim is there."""
    poll = tools.world.polls.get((key.namespace, key.name))
    for name in unlisted(tools.world, pool, key.ordinal, poll.report if poll else None):
        claim = names.disk(key.pool, key.ordinal, name)
        if _has_claim(tools.world, key.namespace, key.name, name):
            await tools.applier.ensure(miner.disk_at(pool, key.ordinal, Volume(name, claim)))


def unlisted(world: World, pool: MinerPool, ordinal: int, report: Report | None) -> Iterator[str]:
    """Names of disks that the miner misses, and that neither the spec nor a MinerDisk has."""
    for disk in report.disks if report else ():
        name = name_of(disk)
        if disk.state is DiskState.MISSING and disk.id and disk.path == f"{DISKS_DIR}/{name}":
            owner = names.miner(pool.metadata.name, ordinal)
            known = {each.name for each in pool.spec.disks} | {
                each.spec.disk for each in world.disks_of(pool.metadata.namespace, owner)
            }
            if name not in known:
                yield name


def unknown(world: World, pool: MinerPool, ordinal: int, report: Report | None) -> frozenset[str]:
    """Those of them that have no claim either: a person must say where they are."""
    space, owner = pool.metadata.namespace, names.miner(pool.metadata.name, ordinal)
    missed = unlisted(world, pool, ordinal, report)
    return frozenset(each for each in missed if not _has_claim(world, space, owner, each))


def _has_claim(world: World, namespace: str, owner: str, disk: str) -> bool:
    """Whether the operator made a claim for it; only those of ours are watched."""
    live = world.store.get(ClusterKind.CLAIM, namespace, f"{owner}-{disk}")
    return live is not None and not live.deleting and live.miner == owner
