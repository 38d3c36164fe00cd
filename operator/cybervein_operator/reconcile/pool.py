"""A pool as a whole: decide for all its miners at once, hand out the work, write the status."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cybervein_operator.api import (
    MinerPhase,
    MinerPool,
)
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import fleet, limits, names
from cybervein_operator.judgement.maintenance import evictable
from cybervein_operator.judgement.miner import Facts, MinerVerdict, Trouble, worst
from cybervein_operator.judgement.pool import (
    MinerOrder,
    Plan,
    Task,
    plan,
)
from cybervein_operator.judgement.rollout import borne
from cybervein_operator.judgement.window import is_open
from cybervein_operator.reconcile.access import pool_trouble
from cybervein_operator.reconcile.capacities import ClaimSizes
from cybervein_operator.reconcile.causes import Causes
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.gather import Gatherer
from cybervein_operator.reconcile.pool_status import BYTES_SECONDS, write_pool_status
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Key, miner_key, network_key

RESYNC_SECONDS = 600.0
_WAITING_SECONDS = 15.0
_SOON_SECONDS = 0.5
_STUCK_SECONDS = 5.0


def paused(pool: MinerPool) -> bool:
    """Look, change nothing."""
    return pool.metadata.annotations.get(names.PAUSED) == "true"


class PoolWork:
    """Plans pools."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._world = tools, tools.world
        self._gatherer = Gatherer(tools)
        self._causes = Causes(tools.client, tools.world.store)
        self._sizes = ClaimSizes(tools)
        self._looked: dict[Key, tuple[float, int]] = {}
        self._members: dict[Key, set[str]] = {}

    async def reconcile(self, key: Key) -> float | None:
        """Look at the whole pool; returns in how many seconds to look again."""
        pool = self._world.pools.get((key.namespace, key.name))
        if pool is None or pool.metadata.deletion_timestamp:
            self._forget(key)
            return None
        if self._unseen(pool):
            return _SOON_SECONDS
        if key not in self._world.looked:
            self._begin(key, pool)
        trouble = await pool_trouble(self._tools, pool)
        miners = await self._causes.told(pool, key, self._gatherer.gather(pool))
        budget = self._budget(pool)
        decided = plan(
            pool,
            miners,
            epoch=self._epoch(pool),
            budget=budget,
            in_window=is_open(pool.spec.rollout.window, datetime.now(UTC)),
        )
        self._keep_only(key, {each.name for each in miners})
        self._remember(pool, miners, decided)
        self._tools.metrics.miners(
            Counter(str(each.phase) for each in self._world.verdicts.values())
        )
        children = Children(self._tools, pool)
        if not paused(pool):
            await children.ensure(fleet.disruption_budget(pool, evictable(pool, miners, budget)))
            trouble = trouble or await self._limit(pool, children)
        self._hand_out(pool, miners, decided, trouble)
        shown = worst((trouble, children.trouble))
        told = await write_pool_status(self._tools, pool, miners, decided, shown)
        waits = shown is not None or any(
            each.outdated or each.binding or each.stuck for each in miners
        )
        if any(each.stuck and each.cause is None for each in miners):
            return _STUCK_SECONDS
        if not told:
            return BYTES_SECONDS
        return _WAITING_SECONDS if waits else RESYNC_SECONDS

    async def _limit(self, pool: MinerPool, children: Children) -> Trouble | None:
        """Tell the miners what of each disk is theirs, before one of them starts."""
        if not limits.apply_to(pool):
            return None
        space, name = pool.metadata.namespace, names.limits(pool.metadata.name)
        try:
            sizes = await self._sizes.of(pool)
        except ApiError as error:
            if not error.lasting:
                raise
            children.refused(ClusterKind.CONFIG_MAP, name, error)
        else:
            await children.ensure(limits.config_map(pool, sizes))
        there = self._world.store.get(ClusterKind.CONFIG_MAP, space, name) is not None
        if there or children.trouble is None:
            return None
        return replace(children.trouble, blocks=True, spares=False)

    def _unseen(self, pool: MinerPool) -> bool:
        """Its network was not looked at since the start: unknown is not "not ready"."""
        space, network = pool.metadata.namespace, pool.spec.network_ref.name
        if (space, network) not in self._world.networks or (space, network) in self._world.views:
            return False
        return network_key(space, network) not in self._world.looked

    def _begin(self, key: Key, pool: MinerPool) -> None:
        """The first look since the start: what was said of miners stands until they are heard."""
        self._world.looked.add(key)
        for each in pool.status.attention or ():
            self._world.said[key.namespace, each.miner] = MinerVerdict(
                each.phase, each.reason, each.message
            )

    def _forget(self, key: Key) -> None:
        """The pool is gone."""
        self._world.looked.discard(key)
        self._keep_only(key, set())
        self._members.pop(key, None)
        self._looked.pop(key, None)
        self._causes.forget(key)
        self._sizes.forget((key.namespace, key.name))
        self._tools.bytes_told.pop((key.namespace, key.name), None)
        self._tools.applier.forget_named(key.namespace, f"{key.name}-")

    def _keep_only(self, key: Key, current: set[str]) -> None:
        """Forget miners that are neither wanted nor there any more."""
        for name in self._members.get(key, set()) - current:
            owner = (key.namespace, name)
            self._world.forget_miner(owner)
            ordinal = names.ordinal_of(key.name, name)
            self._world.looked.discard(miner_key(key.namespace, key.name, ordinal or 0))
            self._tools.poller.forget(owner)
            self._gatherer.forget(owner)
        self._members[key] = current

    def _epoch(self, pool: MinerPool) -> int | None:
        view = self._world.views.get((pool.metadata.namespace, pool.spec.network_ref.name))
        return view.epoch if view else None

    def _budget(self, pool: MinerPool) -> int:
        """How many of this pool may be down at once: what the network bears, less other pools'."""
        space, network = pool.metadata.namespace, pool.spec.network_ref.name
        view = self._world.views.get((space, network))
        standings = view.standings.values() if view else ()
        epoch = view.epoch if view and view.epoch is not None else 0
        live = {
            (each.group, each.owner)
            for each in standings
            if not each.draining and (each.last_proof_epoch or 0) >= epoch - 2
        }
        others = sum(
            self._down(other)
            for other in self._world.pools_of(space, network)
            if other.metadata.uid != pool.metadata.uid
        )
        return borne(len(live)) - others

    def _down(self, pool: MinerPool) -> int:
        """Miners of a pool that are being updated now, and not ready."""
        return sum(
            self._world.verdicts[space, name].phase is not MinerPhase.READY
            for space, name in self._world.granted
            if space == pool.metadata.namespace
            and names.ordinal_of(pool.metadata.name, name) is not None
        )

    def _remember(self, pool: MinerPool, miners: Sequence[Facts], decided: Plan) -> None:
        space, epoch = pool.metadata.namespace, self._epoch(pool)
        for each in miners:
            name, verdict = (space, each.name), decided.verdicts[each.name]
            before = self._world.verdicts.get(name)
            if before is not None and before.phase is not verdict.phase:
                # Its MinerDisks show the phase.
                self._tools.add(miner_key(space, pool.metadata.name, each.ordinal), 0.1)
            self._world.verdicts[name] = verdict
            if each.name in decided.granted:
                self._world.granted.setdefault(name, epoch)
            else:
                self._world.granted.pop(name, None)
            if each.exists and each.pod is not None:
                report = each.poll.report if each.poll else None
                empties = report is not None and report.empties
                hot = verdict.phase is not MinerPhase.READY or empties
                self._tools.poller.watch(name, hot=hot)

    def _hand_out(
        self, pool: MinerPool, miners: Sequence[Facts], decided: Plan, trouble: Trouble | None
    ) -> None:
        """Orders to the miners; each is woken when its order changed, or at every resync."""
        space, key = (
            pool.metadata.namespace,
            Key("pool", pool.metadata.namespace, pool.metadata.name),
        )
        everybody = self._due_again(key, pool)
        for each in miners:
            order = self._allowed(pool, decided.orders[each.name], trouble)
            name = (space, each.name)
            before = self._world.orders.get(name)
            self._world.orders[name] = order
            if before != order or everybody:
                self._tools.add(miner_key(space, pool.metadata.name, each.ordinal), 0.0)

    def _due_again(self, key: Key, pool: MinerPool) -> bool:
        """Whether every miner is to be looked at: the spec is new, or the last time is long ago."""
        now = asyncio.get_running_loop().time()
        at, generation = self._looked.get(key, (-RESYNC_SECONDS, -1))
        if generation == pool.metadata.generation and now - at < RESYNC_SECONDS:
            return False
        self._looked[key] = (now, pool.metadata.generation)
        return True

    @staticmethod
    def _allowed(pool: MinerPool, order: MinerOrder, trouble: Trouble | None) -> MinerOrder:
        """A paused pool's miners are left alone; one in trouble makes nothing new."""
        if paused(pool) or (trouble is not None and order.task is Task.RUN):
            return MinerOrder(Task.NOTHING)
        return order
