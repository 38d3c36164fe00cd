"""What the claims of a pool's disks really have, in bytes."""

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec
from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.desired.limits import Capacities
from cybervein_operator.observed.extract import capacity_of
from cybervein_operator.observed.facts import ClaimFacts
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Name

_AGAIN_SECONDS: Final = 600.0
_UNBOUND_SECONDS: Final = 15.0
_Sizes = dict[str, int]


class ClaimSizes:
    """Claims of ours are watched; those that a pool only names are listed now and then."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._store = tools, tools.world.store
        self._listed: dict[Name, tuple[float, int, _Sizes]] = {}

    async def of(self, pool: MinerPool) -> Capacities:
        """Bytes by disk and ordinal, of claims that are bound."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for disk, ordinal, size in self._made(pool):
            found[disk][ordinal] = size
        named = await self._named(pool)
        for each in pool.spec.disks:
            for ordinal, claim in enumerate(each.existing_claims or ()):
                if size := named.get(claim, 0):
                    found[each.name][ordinal] = size
        return found

    def forget(self, name: Name) -> None:
        """The pool is gone."""
        self._listed.pop(name, None)

    def _made(self, pool: MinerPool) -> Iterator[tuple[str, int, int]]:
        meta = pool.metadata
        made = {each.name for each in pool.spec.disks if each.claim_template is not None}
        for claim, seen in self._store.of_pool(ClusterKind.CLAIM, meta.namespace, meta.name):
            ordinal, disk = names.ordinal_of(meta.name, seen.miner), claim.rpartition("-")[2]
            if ordinal is None or disk not in made or not isinstance(seen.facts, ClaimFacts):
                continue
            if seen.facts.capacity:
                yield disk, ordinal, seen.facts.capacity

    async def _named(self, pool: MinerPool) -> _Sizes:
        meta = pool.metadata
        wanted = {claim for each in pool.spec.disks for claim in each.existing_claims or ()}
        if not wanted:
            return {}
        now, name = time.monotonic(), (meta.namespace, meta.name)
        at, generation, sizes = self._listed.get(name, (0.0, -1, {}))
        fresh = _AGAIN_SECONDS if wanted <= sizes.keys() else _UNBOUND_SECONDS
        if generation != meta.generation or now - at >= fresh:
            sizes = await self._list(meta.namespace, wanted)
            self._listed[name] = (now, meta.generation, sizes)
        return sizes

    async def _list(self, namespace: str, wanted: set[str]) -> _Sizes:
        found = await self._tools.client.list_all(ClusterKind.CLAIM, namespace)
        mine = {each["metadata"]["name"]: each for each in found}
        sizes: _Sizes = {}
        for name in wanted & mine.keys():
            status = mine[name].get("status") or {}
            try:
                sizes[name] = capacity_of(msgspec.json.encode(status))
            except MalformedError:
                continue
        return {name: size for name, size in sizes.items() if size}
