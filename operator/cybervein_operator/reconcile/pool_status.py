"""The status of a pool: written when it says something new, and its transitions as events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cybervein_operator.api import MinerPool, MinerPoolStatus, PoolBytes
from cybervein_operator.desired import names
from cybervein_operator.judgement.conditions import conditions, paused
from cybervein_operator.judgement.miner import Facts, Trouble
from cybervein_operator.judgement.pool import Plan
from cybervein_operator.judgement.registered import registered
from cybervein_operator.judgement.summary import answers, attention, phases, sums, usage
from cybervein_operator.judgement.window import waits
from cybervein_operator.reconcile.recorder import rfc3339
from cybervein_operator.reconcile.registrations import pool_registration
from cybervein_operator.reconcile.statuses import write_status
from cybervein_operator.reconcile.tools import Tools

_SHIFT_PER_MILLE = 10


async def write_pool_status(
    tools: Tools,
    pool: MinerPool,
    miners: Sequence[Facts],
    decided: Plan,
    trouble: Trouble | None,
) -> None:
    """Write the pool's status if it says something new."""
    added = sums(miners, decided.verdicts)
    said = answers(pool, decided.verdicts, added, trouble, waits(pool, miners, datetime.now(UTC)))
    if pool.metadata.annotations.get(names.PAUSED) == "true":
        said = replace(said, paused=paused("minerpool", pool.metadata.name))
    shown = conditions(
        replace(said, registered=registered(pool, miners)),
        pool.status.conditions,
        pool.metadata.generation,
        rfc3339(),
    )
    before = pool.status
    kept = _small_shift(before, added.bytes) or _untold(before, miners, added.bytes)
    size = before.bytes if kept and before.bytes else added.bytes
    after = MinerPoolStatus(
        replicas=added.existing,
        ready_replicas=added.ready,
        updated_replicas=added.updated,
        selector=names.selector_text(pool),
        observed_generation=pool.metadata.generation,
        conditions=shown,
        phases=phases(decided.verdicts),
        bytes=size,
        usage=usage(size),
        attention=attention(miners, decided.verdicts),
        image=pool.spec.image or tools.image,
        registered=pool_registration(tools, pool),
    )
    if after == before or not await write_status(tools, pool, after):
        return
    meta = pool.metadata
    current = tools.world.pools.get((meta.namespace, meta.name))
    if current is not None and current.metadata.uid == meta.uid:
        tools.world.pools[meta.namespace, meta.name] = _with_status(current, after)


def _with_status(pool: MinerPool, status: MinerPoolStatus) -> MinerPool:
    """What the watch will say in a moment: the next look must not write the same again."""
    return MinerPool(metadata=pool.metadata, spec=pool.spec, status=status)


def _small_shift(before: MinerPoolStatus, now: PoolBytes) -> bool:
    """Whether bytes moved by less than one per cent since they were last written."""
    old = before.bytes
    if old is None or old.total != now.total:
        return False
    shift = abs(old.plots + old.shards - now.plots - now.shards)
    return shift * 1000 <= now.total * _SHIFT_PER_MILLE


def _untold(before: MinerPoolStatus, miners: Sequence[Facts], now: PoolBytes) -> bool:
    """Whether bytes are missing only because their miners were not heard since the start."""
    old = before.bytes
    return old is not None and now.total < old.total and not all(each.heard for each in miners)
