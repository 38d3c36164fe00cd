"""One miner: its objects, its drain, its end. What to do was decided with the whole pool."""

from cybervein_protocol.errors import ConflictError, CyberVeinError

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import miner, names, template
from cybervein_operator.judgement.claims import LONG
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.judgement.pool import MinerOrder, Task
from cybervein_operator.observed.facts import ADDRESS, NODE, OWNER, PodFacts, SetFacts
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.claims import ensure_claim
from cybervein_operator.reconcile.disks import leaving_volumes, reconcile_disks
from cybervein_operator.reconcile.left_behind import list_again
from cybervein_operator.reconcile.miner_facts import settled, wanted_set
from cybervein_operator.reconcile.miner_objects import MinerObjects
from cybervein_operator.reconcile.owners import owner_of
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Key, pool_key

_TROUBLE_SECONDS = 15.0
_PATIENT_SECONDS = 120.0


class MinerWork:
    """Carries out orders for single miners."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._world = tools, tools.world
        self._objects = MinerObjects(tools)

    async def reconcile(self, key: Key) -> float | None:
        """Do what the miner's order says."""
        again = await self._carry_out(key)
        if key not in self._world.looked:
            self._world.looked.add(key)
            self._tools.add(pool_key(key.namespace, key.pool), 0.5)
        return again

    async def _carry_out(self, key: Key) -> float | None:
        pool = self._world.pools.get((key.namespace, key.pool))
        name = (key.namespace, key.name)
        task = self._world.orders.get(name, MinerOrder(Task.NOTHING))
        if pool is None or task.task is Task.NOTHING:
            return None
        if task.task is Task.STOP:
            return await self._stop(pool, key)
        children = Children(self._tools, pool)
        if task.task is Task.RUN:
            await self._objects.run(pool, key, children, update=task.update)
        try:
            await self._tell(key, draining=task.task is Task.DRAIN)
            if task.task is Task.RUN:
                await list_again(self._tools, pool, key)
            await self._disks(pool, key)
        except ConflictError as error:
            children.note(Trouble("MinerRefused", str(error), blocks=False, spares=True))
        except ApiError as error:
            if not error.lasting:
                raise
            children.refused(ClusterKind.DISK, f"of {key.name}", error)
        finally:
            self._note(key, children.trouble)
        return _again_seconds(children.trouble)

    async def _disks(self, pool: MinerPool, key: Key) -> None:
        """Its disks; what its pod mounts matters only while one leaves."""
        leaves = leaving_volumes(self._world, pool, key.ordinal)
        remounts = bool(leaves) and not self._mounts_all(pool, key)
        await reconcile_disks(self._tools, pool, key, remounts=remounts)

    def _mounts_all(self, pool: MinerPool, key: Key) -> bool:
        """Whether its pod is of the template that is wanted now."""
        store, space = self._world.store, key.namespace
        live = store.get(ClusterKind.STATEFUL_SET, space, key.name)
        pod = store.get(ClusterKind.POD, space, names.pod(key.pool, key.ordinal))
        own = live.facts if live and isinstance(live.facts, SetFacts) else None
        runs = pod.facts if pod and isinstance(pod.facts, PodFacts) and not pod.deleting else None
        wanted = wanted_set(self._tools, pool, key.ordinal)
        now = own.template if own else ""
        return wanted is not None and now == template.of(wanted) and settled(own, runs)

    def _note(self, key: Key, trouble: Trouble | None) -> None:
        """Remember why it makes no progress; the pool's status says so."""
        name = (key.namespace, key.name)
        if self._world.troubles.get(name) == trouble:
            return
        if trouble is None:
            self._world.troubles.pop(name, None)
        else:
            self._world.troubles[name] = trouble
        self._tools.add(pool_key(key.namespace, key.pool), 0.2)

    async def _tell(self, key: Key, *, draining: bool) -> None:
        """Ask the miner to drain, or to stop draining; where it does not answer, polls continue."""
        name = (key.namespace, key.name)
        poll = self._world.polls.get(name)
        report = poll.report if poll else None
        if report is None or report.draining == draining:
            return
        try:
            await self._tools.miners.drain(
                key.namespace, key.name, report.address, draining=draining
            )
        except CyberVeinError as error:
            self._tools.metrics.polls.labels("refused").inc()
            raise type(error)(f"{key.name}: {error}") from error
        self._tools.metrics.drains.labels("started" if draining else "cancelled").inc()
        self._tools.poller.soon(name)

    async def _stop(self, pool: MinerPool, key: Key) -> float | None:
        """It is empty: remove StatefulSet and Service; Secret and claims stay."""
        store, space, name = self._world.store, key.namespace, key.name
        children = Children(self._tools, pool)
        await self._remember_node(pool, key, children)
        stopped = False
        for kind in (ClusterKind.STATEFUL_SET, ClusterKind.SERVICE):
            live = store.get(kind, space, name)
            if live is None or live.deleting:
                continue
            try:
                stopped |= await self._tools.client.delete(kind, space, name, live.uid)
            except ApiError as error:
                children.refused(kind, name, error)
            else:
                self._tools.applier.forget(kind, space, name)
        self._note(key, children.trouble)
        if stopped:
            self._tools.metrics.drains.labels("finished").inc()
        await reconcile_disks(self._tools, pool, key, stopped=True)
        self._tools.poller.forget((space, name))
        return _again_seconds(children.trouble)

    async def _remember_node(self, pool: MinerPool, key: Key, children: Children) -> None:
        """On the journal's claim: where it was, so that a drained node's miner stays stopped."""
        pod = self._world.store.get(
            ClusterKind.POD, key.namespace, names.pod(key.pool, key.ordinal)
        )
        node = pod.facts.node if pod and isinstance(pod.facts, PodFacts) else ""
        state = miner.claims(pool, key.ordinal)[0]
        address = self._objects.address((key.namespace, key.name))
        if not node or not address:
            return
        owner = owner_of(self._tools, pool, key.ordinal)
        state["metadata"]["annotations"] = {ADDRESS: address, NODE: node, OWNER: owner}
        await ensure_claim(self._tools, children, state, names.pod(pool.metadata.name, key.ordinal))


def _again_seconds(trouble: Trouble | None) -> float | None:
    """When to look again, if nothing happens."""
    if trouble is None:
        return None
    return _PATIENT_SECONDS if trouble.reason in LONG else _TROUBLE_SECONDS
