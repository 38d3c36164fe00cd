"""Objects of a whole pool, and what is wrong with it that the API server cannot see."""

from collections import Counter

from cybervein_operator.api import MinerPool
from cybervein_operator.api.pool import BANDWIDTH_MIN
from cybervein_operator.api.quantity import number
from cybervein_operator.desired import names
from cybervein_operator.desired.metadata import owned
from cybervein_operator.desired.names import Object


def disruption_budget(pool: MinerPool, most: int | None = None) -> Object:
    """How many miners an eviction may stop at once: `most`, or as many as an upgrade.

    A miner that is not ready may always be evicted: it serves nothing, and a node that is being
    emptied must not wait for it.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": owned(pool, pool.metadata.name, names.pool_labels(pool)),
        "spec": {
            "maxUnavailable": pool.spec.rollout.max_unavailable if most is None else most,
            "selector": {"matchLabels": names.selector(pool)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def contradictions(pool: MinerPool) -> list[str]:
    """What no miner of this pool could live with; each a sentence with the next step."""
    return [
        *_claims_used_twice(pool),
        *_claims_of_its_own(pool),
        *_directories_used_twice(pool),
        *_bandwidth(pool),
    ]


def _claims_used_twice(pool: MinerPool) -> list[str]:
    named = Counter(claim for disk in pool.spec.disks for claim in (disk.existing_claims or ()))
    return [
        f"claim {claim} is named by {count} disks; a claim is one disk of one miner: name another"
        for claim, count in sorted(named.items())
        if count > 1
    ]


def _claims_of_its_own(pool: MinerPool) -> list[str]:
    """Existing claims that the operator makes, or would make, for another purpose."""
    made = {claim for n in range(pool.spec.replicas) for claim in names.claims(pool, n)}
    named = {claim for disk in pool.spec.disks for claim in (disk.existing_claims or ())}
    return [
        f"claim {claim} is one that the operator makes for this pool; name another"
        for claim in sorted(made & named)
    ]


def _directories_used_twice(pool: MinerPool) -> list[str]:
    used = Counter(disk.host_path for disk in pool.spec.disks if disk.host_path is not None)
    return [
        f"hostPath {path} is named by {count} disks; give each disk a directory of its own"
        for path, count in sorted(used.items())
        if count > 1
    ]


def _bandwidth(pool: MinerPool) -> list[str]:
    cap = pool.spec.bandwidth
    if cap is None or number(cap) >= BANDWIDTH_MIN:
        return []
    return [f"bandwidth {cap}: expected at least {BANDWIDTH_MIN} bytes per second; raise it"]
