"""What `status` tells, as values: networks, pools, miners, disks, and three answers.

A person asks: who is not ready and why, is my data safe, am I earning. Pure functions of what the
API server and the ledger said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

from cybervein_operator.plugin.answers import Answer, Ledger, Object, earning, ready, safe

NOBODY: Final = (
    "is an operator running, and does it watch this namespace (watchNamespaces of the chart)?"
)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `status` shows."""

    networks: tuple[Object, ...]
    pools: tuple[Object, ...]
    miners: tuple[Object, ...]
    disks: tuple[Object, ...]
    ready: Answer
    safe: Answer
    earning: Answer

    def plain(self) -> Object:
        """As JSON-like values."""
        return asdict(self)


def overview(
    objects: Iterable[Object],
    ledgers: dict[str, Ledger],
    nobody: Mapping[str, str] = MappingProxyType({}),
) -> Overview:
    """Sum up Networks, MinerPools and MinerDisks; `ledgers` by NAMESPACE/NETWORK.

    `nobody` says by namespace why what is there was not looked at.
    """
    by_kind: dict[str, list[Object]] = {"Network": [], "MinerPool": [], "MinerDisk": []}
    for each in objects:
        by_kind[each["kind"]].append(each)
    disks = tuple(_disk(each) for each in by_kind["MinerDisk"])
    networks = tuple(_network(each, nobody) for each in by_kind["Network"])
    pools = tuple(_pool(each, nobody) for each in by_kind["MinerPool"])
    miners = _miners(by_kind["MinerPool"], disks)
    return Overview(
        networks, pools, miners, disks, ready(networks, pools), safe(miners, disks),
        earning(miners, pools, ledgers),
    )  # fmt: skip


def condition(item: Object, kind: str) -> Object:
    """A condition of a resource, or an empty one."""
    conditions = item.get("status", {}).get("conditions", [])
    found: Object = next((each for each in conditions if each["type"] == kind), {})
    return found


def _head(item: Object, nobody: Mapping[str, str]) -> Object:
    meta, verdict = item["metadata"], condition(item, "Ready")
    paused = meta.get("annotations", {}).get("cybervein.io/paused") == "true"
    why = nobody.get(meta["namespace"], NOBODY)
    message = verdict.get("message", f"it was not looked at: {why}")
    looked = item.get("status", {}).get("observedGeneration")
    if verdict and looked is not None and looked < meta.get("generation", 0):
        message = f"{message} (its last change was not looked at: {why})"
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "ready": verdict.get("status", "Unknown"),
        "reason": verdict.get("reason", "NotSeen"),
        "message": f"{message} (paused)" if paused else message,
    }


def _network(item: Object, nobody: Mapping[str, str]) -> Object:
    status = item.get("status", {})
    keys = ("network", "epoch", "height", "miners", "url", "backup", "recovered")
    return _head(item, nobody) | {key: status.get(key) for key in keys}


def _pool(item: Object, nobody: Mapping[str, str]) -> Object:
    status, spec = item.get("status", {}), item["spec"]
    head, ledger = _head(item, nobody), condition(item, "Registered")
    if ledger.get("status") == "False" and ledger["message"] not in head["message"]:
        head["message"] += f"; ledger: {ledger['message']}"
    return head | {
        "network": spec["networkRef"]["name"],
        "wanted": spec.get("replicas", 1),
        "miners": status.get("replicas", 0),
        "miners_ready": status.get("readyReplicas", 0),
        "phases": status.get("phases", {}),
        "usage": status.get("usage", ""),
        "draining": sorted(spec.get("drain", [])),
    }


def _disk(item: Object) -> Object:
    meta, spec, status = item["metadata"], item["spec"], item.get("status", {})
    numbers = ("bytesTotal", "bytesFree", "plots", "shards")
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "pool": spec["pool"],
        "miner": spec["miner"],
        "phase": status.get("phase", "Pending"),
        "miner_phase": status.get("minerPhase", "Pending"),
        "node": status.get("node", ""),
        "address": status.get("address", ""),
        "disk_id": status.get("diskId", ""),
        "usage": status.get("usage", ""),
        "message": status.get("message", ""),
    } | {key: status.get(key, 0) for key in numbers}


def _miners(pools: list[Object], disks: tuple[Object, ...]) -> tuple[Object, ...]:
    """One entry for each miner that has a disk or needs attention."""
    found: dict[tuple[str, str], Object] = {}
    for disk in disks:
        miner = found.setdefault(
            (disk["namespace"], disk["miner"]),
            {
                "namespace": disk["namespace"],
                "name": disk["miner"],
                "pool": disk["pool"],
                "phase": disk["miner_phase"],
                "node": disk["node"],
                "address": disk["address"],
                "disks": 0,
                "reason": "",
                "message": "",
            },
        )
        miner["disks"] += 1
    for pool in pools:
        namespace = pool["metadata"]["namespace"]
        for each in pool.get("status", {}).get("attention", []):
            fresh = {"namespace": namespace, "name": each["miner"], "disks": 0, "node": ""}
            fresh |= {"pool": pool["metadata"]["name"], "address": ""}
            miner = found.setdefault((namespace, each["miner"]), fresh)
            miner |= {key: each.get(key, "") for key in ("phase", "reason", "message")}
    return tuple(sorted(found.values(), key=_place))


def _place(miner: Object) -> tuple[str, str, int]:
    pool, _, ordinal = miner["name"].rpartition("-")
    return miner["namespace"], pool, int(ordinal) if ordinal.isdigit() else 0
