"""The status of a pool: written when it says something new, and its transitions as events."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from cybervein_operator.api import (
    ConditionStatus,
    ConditionType,
    MinerPool,
    MinerPoolStatus,
    PoolBytes,
)
from cybervein_operator.desired import names
from cybervein_operator.judgement.conditions import ConditionAnswer, conditions, paused
from cybervein_operator.judgement.miner import Facts, Trouble
from cybervein_operator.judgement.pool import Plan
from cybervein_operator.judgement.registered import registered
from cybervein_operator.judgement.summary import answers, attention, phases, sums, usage
from cybervein_operator.judgement.window import waits
from cybervein_operator.reconcile.recorder import rfc3339
from cybervein_operator.reconcile.registrations import pool_registration
from cybervein_operator.reconcile.statuses import write_status
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import World, miner_key

_SHIFT_PER_MILLE = 10
BYTES_SECONDS: Final = 5.0
"""Small changes of the sum wait that long: with a thousand miners each poll brings one."""


async def write_pool_status(
    tools: Tools,
    pool: MinerPool,
    miners: Sequence[Facts],
    decided: Plan,
    trouble: Trouble | None,
) -> bool:
    """Write the pool's status if it says something new; False where a change of bytes waits."""
    added = sums(miners, decided.verdicts)
    said = answers(pool, decided.verdicts, added, trouble, waits(pool, miners, datetime.now(UTC)))
    if not said.degraded.so and not _all_looked_at(tools.world, pool, miners):
        said = replace(said, degraded=_as_it_was(pool.status) or said.degraded)
    if pool.metadata.annotations.get(names.PAUSED) == "true":
        said = replace(said, paused=paused("minerpool", pool.metadata.name))
    shown = conditions(
        replace(said, registered=registered(pool, miners)),
        pool.status.conditions,
        pool.metadata.generation,
        rfc3339(),
    )
    before = pool.status
    size, later = added.bytes, False
    if before.bytes and _small_shift(before.bytes, size):
        same = _same_held(before.bytes, size)
        later = not same and _just_written(tools, pool)
        size = before.bytes if same or later else size
    if before.bytes and _untold(before.bytes, miners, size):
        size = before.bytes
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
        return not later
    meta = pool.metadata
    tools.bytes_told[meta.namespace, meta.name] = time.monotonic()
    current = tools.world.pools.get((meta.namespace, meta.name))
    if current is not None and current.metadata.uid == meta.uid:
        tools.world.pools[meta.namespace, meta.name] = _with_status(current, after)
    return not later


def _all_looked_at(world: World, pool: MinerPool, miners: Sequence[Facts]) -> bool:
    """Whether every miner's objects were looked at since the start: before, no news is not good."""
    space, name = pool.metadata.namespace, pool.metadata.name
    return all(miner_key(space, name, each.ordinal) in world.looked for each in miners)


def _as_it_was(status: MinerPoolStatus) -> ConditionAnswer | None:
    """What was said of the pool's trouble before the start, if there was any."""
    for each in status.conditions:
        if each.type == ConditionType.DEGRADED and each.status == ConditionStatus.TRUE:
            return ConditionAnswer(each.reason, each.message).yes()
    return None


def _with_status(pool: MinerPool, status: MinerPoolStatus) -> MinerPool:
    """What the watch will say in a moment: the next look must not write the same again."""
    return MinerPool(metadata=pool.metadata, spec=pool.spec, status=status)


def _just_written(tools: Tools, pool: MinerPool) -> bool:
    at = tools.bytes_told.get((pool.metadata.namespace, pool.metadata.name), -BYTES_SECONDS)
    return time.monotonic() - at < BYTES_SECONDS


def _small_shift(before: PoolBytes, after: PoolBytes) -> bool:
    """Whether bytes differ by less than one per cent of the same disks."""
    pairs = (
        (before.plots + before.shards, after.plots + after.shards),
        (before.free, after.free),
    )
    moved = max(abs(old - new) for old, new in pairs)
    return before.total == after.total and moved * 1000 <= after.total * _SHIFT_PER_MILLE


def _same_held(before: PoolBytes, after: PoolBytes) -> bool:
    """Whether plots and shards are what was told: the rest may be a person's own files."""
    return (before.plots, before.shards) == (after.plots, after.shards)


def _untold(before: PoolBytes, miners: Sequence[Facts], now: PoolBytes) -> bool:
    """Whether bytes are missing only because their miners were not heard since the start."""
    return now.total < before.total and not all(each.heard for each in miners)
