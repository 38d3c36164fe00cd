"""Whom a miner names as its operator: once, as the ledger keeps what the registration said.

Miners of one group and owner are one failure domain, and most groups are names of nodes that
strangers have too (`node-1`). So the default must be a name that strangers do not have: the address
of the operator's control key. It is the same for all that the operator runs, so that its pools on
one node are one failure domain. The claim of the journal remembers the owner; a claim that says
none is of version 0.2.0, where the default was the namespace, and keeps that.
"""

from collections.abc import Iterator

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.observed.facts import ClaimFacts
from cybervein_operator.reconcile.tools import Tools


def owner_of(tools: Tools, pool: MinerPool, ordinal: int) -> str:
    """The owner of one miner: the spec's, its own from before, or that of its neighbours here."""
    if pool.spec.owner is not None:
        return pool.spec.owner
    space = pool.metadata.namespace
    claim = tools.world.store.get(
        ClusterKind.CLAIM, space, names.state_claim(pool.metadata.name, ordinal)
    )
    if claim is not None and isinstance(claim.facts, ClaimFacts) and claim.facts.address:
        return claim.facts.owner or space
    key, spec = (space, pool.metadata.name), (pool.metadata.uid, pool.metadata.generation)
    of, known = tools.world.owners.get(key, (None, ""))
    if of != spec:
        known = next(_before(tools, pool), tools.control)
        tools.world.owners[key] = (spec, known)
    return known


def _before(tools: Tools, pool: MinerPool) -> Iterator[str]:
    """Owners of journals in this namespace: of this pool's, then of others without `owner`."""
    space, store = pool.metadata.namespace, tools.world.store
    said = {
        other.metadata.name
        for other in tools.world.pools.values()
        if other.metadata.namespace == space and other.spec.owner is not None
    }
    of_pool = store.of_pool(ClusterKind.CLAIM, space, pool.metadata.name)
    others = (
        (name, seen)
        for name, seen in store.of_namespace(ClusterKind.CLAIM, space)
        if seen.pool and seen.pool not in said
    )
    for found in (of_pool, others):
        for _, seen in sorted(found, key=lambda each: each[0]):
            if isinstance(seen.facts, ClaimFacts) and seen.facts.address:
                yield seen.facts.owner or space
