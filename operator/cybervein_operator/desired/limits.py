"""How much of each disk a miner may use: what its claim has.

Many a storage class (local-path, host paths, NFS) gives a folder of a larger filesystem for a claim
and holds nobody to its size; so the miner is told. By a ConfigMap of the pool and not by an
argument: a pod sees it change, and none restarts because a claim grows. `pool.json` counts for all
miners, `POOL-N.json` before it for one whose claim has another size.
"""

import json
from collections.abc import Mapping
from typing import Final

from cybervein_operator.api import MinerPool, PoolDisk
from cybervein_operator.api.quantity import number
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import DISKS_DIR
from cybervein_operator.desired.metadata import owned
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.pod import mount as mounted

LIMITS_DIR: Final = "/etc/cybervein/limits"
OWN_MAX: Final = 4_000
"""A ConfigMap has a mebibyte; whoever finds no room keeps to the smallest claim of its pool."""
_ALL: Final = "pool.json"
_OWN: Final = "miner.json"
Capacities = Mapping[str, Mapping[int, int]]
"""Bytes of claims that are bound, by disk and ordinal."""


def apply_to(pool: MinerPool) -> bool:
    """Whether the pool has claims: the size of a host path is its filesystem's."""
    return any(each.host_path is None for each in pool.spec.disks)


def config_map(pool: MinerPool, capacities: Capacities) -> Object:
    """The limits of all miners of the pool."""
    general: dict[str, int] = {}
    own: dict[int, dict[str, int]] = {}
    for disk in pool.spec.disks:
        bound = capacities.get(disk.name, {})
        usual = _usual(disk, [size for n, size in bound.items() if n < pool.spec.replicas])
        if usual is None:
            continue
        path = f"{DISKS_DIR}/{disk.name}"
        general[path] = usual
        for ordinal, size in bound.items():
            if size != usual:
                own.setdefault(ordinal, {})[path] = size
    files = {_ALL: general} | {
        _key(pool, ordinal): own[ordinal] for ordinal in sorted(own)[:OWN_MAX]
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owned(pool, names.limits(pool.metadata.name), names.pool_labels(pool)),
        "data": {key: json.dumps(sizes, sort_keys=True) for key, sizes in files.items()},
    }


def _usual(disk: PoolDisk, bound: list[int]) -> int | None:
    """The smallest of the claims that are there, else what is asked for."""
    if bound:
        return min(bound)
    return None if disk.claim_template is None else number(disk.claim_template.size)


def _key(pool: MinerPool, ordinal: int) -> str:
    return f"{names.miner(pool.metadata.name, ordinal)}.json"


def volume(pool: MinerPool, ordinal: int) -> Object:
    """The part of the ConfigMap that is one miner's; a pod starts without it, too."""
    items = [{"key": _ALL, "path": _ALL}, {"key": _key(pool, ordinal), "path": _OWN}]
    source = {"name": names.limits(pool.metadata.name), "optional": True, "items": items}
    return {"name": "limits", "configMap": source}


def mount() -> Object:
    """Where the miner reads it."""
    return mounted("limits", LIMITS_DIR, read_only=True)


def variable() -> Object:
    """A variable, as an image of an earlier release does not know the option."""
    files = f"{LIMITS_DIR}/{_ALL}:{LIMITS_DIR}/{_OWN}"
    return {"name": "CYBERVEIN_DISK_LIMITS", "value": files}
