"""Which work an observation makes: from objects and nodes to keys of the queue."""

from collections.abc import Callable

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.observed.facts import PodFacts, Seen
from cybervein_operator.world import Key, World, miner_key, network_key, pool_key

_POOL_DELAY_SECONDS = 0.5
"""Events come in crowds: one look at the pool answers all of half a second."""


class Router:
    """Listens to the store."""

    def __init__(self, world: World, add: Callable[[Key, float], None]) -> None:
        self._world, self._add = world, add

    def changed(
        self, kind: ClusterKind, key: tuple[str, str], before: Seen | None, after: Seen | None
    ) -> None:
        """An object appeared, changed, or went."""
        item = before if before is not None and (after is None or not after.pool) else after
        assert item is not None  # noqa: S101 -- one of the two is given
        if kind is ClusterKind.NODE:
            self._node(key[1])
        elif item.pool:
            self._of_pool(kind, key, item, gone=after is None)
        elif item.network:
            self._add(network_key(key[0], item.network), 0.0)

    def other_claim(
        self, _kind: ClusterKind, key: tuple[str, str], _before: Seen | None, _after: Seen | None
    ) -> None:
        """A claim that a person made changed: whoever names it is looked at."""
        space, claim = key
        for pool in self._world.pools.values():
            if pool.metadata.namespace == space:
                for ordinal in names.users_of(pool, claim):
                    self._add(miner_key(space, pool.metadata.name, ordinal), 0.05)
        for network in self._world.networks.values():
            node = network.spec.super_node
            named = node is not None and node.storage.existing_claim == claim
            if named and network.metadata.namespace == space:
                self._add(network_key(space, network.metadata.name), 0.0)

    def _of_pool(self, kind: ClusterKind, key: tuple[str, str], item: Seen, *, gone: bool) -> None:
        space = key[0]
        self._add(pool_key(space, item.pool), self._pool_delay(space, item.pool))
        ordinal = names.ordinal_of(item.pool, item.miner) if item.miner else None
        if ordinal is None or (kind is ClusterKind.POD and not gone):
            return
        if kind is not ClusterKind.DISK or gone:
            self._add(miner_key(space, item.pool, ordinal), 0.05)

    def _pool_delay(self, namespace: str, pool: str) -> float:
        """Longer for larger pools, whose looks cost more: two seconds for a thousand miners."""
        known = self._world.pools.get((namespace, pool))
        return max(_POOL_DELAY_SECONDS, known.spec.replicas / 500) if known else _POOL_DELAY_SECONDS

    def _node(self, node: str) -> None:
        """Pools with a pod there; those stopped there are found by the next look at all."""
        pools = {
            (space, seen.pool)
            for (space, _), seen in self._world.store.pods_on(node)
            if seen.pool and isinstance(seen.facts, PodFacts)
        }
        stopped = {
            (space, seen.pool)
            for space, seen in self._world.store.claims_last_on(node)
            if seen.pool
        }
        waiting = {  # evicted from there: without a pod, or with one that no node takes
            (space, miner.rpartition("-")[0])
            for (space, miner), home in self._world.homes.items()
            if home == node
        }
        for space, pool in pools | stopped | waiting:
            self._add(pool_key(space, pool), 0.0)
