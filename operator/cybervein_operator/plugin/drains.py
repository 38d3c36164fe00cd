"""Emptying miners: `spec.drain` of their pools, and waiting until the operator has stopped them.

A patch carries the resourceVersion it was made from, so that two people draining at once both have
their way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cybervein_protocol.errors import MalformedError, UnknownError

from cybervein_operator.plugin.kubectl import GROUP, Kubectl, KubectlError, Object
from cybervein_operator.plugin.waiting import Patience

POOL_KIND = f"minerpools.{GROUP}"
DISK_KIND = f"minerdisks.{GROUP}"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one miner's drain stands."""

    miner: str
    phase: str
    shards: int
    message: str
    stopped: bool

    def __str__(self) -> str:
        if self.stopped:
            return f"{self.miner}: drained and stopped; its volumes and identity stay"
        left = f"{self.shards} shards left" if self.shards else "no shards left"
        return f"{self.miner}: {self.phase}, {left}{'; ' + self.message if self.message else ''}"


def pool_of(miner: str) -> str:
    """`POOL` of `POOL-N`."""
    pool, _, ordinal = miner.rpartition("-")
    if not pool or not ordinal.isdigit():
        raise MalformedError(f"{miner} is no miner's name; they are called POOL-N, as in pool-0")
    return pool


def miners_on(kubectl: Kubectl, node: str) -> list[str]:
    """Miners whose pod runs on a node, or whose disks were last seen there."""
    pods = kubectl.list("pods", "-l", "app.kubernetes.io/component=miner")
    here = {
        pod["metadata"]["labels"][f"{GROUP}/miner"]
        for pod in pods
        if pod["spec"].get("nodeName") == node
    }
    for disk in kubectl.list(DISK_KIND):
        if disk.get("status", {}).get("node") == node:
            here.add(disk["spec"]["miner"])
    if not here:
        raise UnknownError(f"no miner runs on node {node}; see `kubectl get pods -o wide`")
    return sorted(here)


def set_drain(kubectl: Kubectl, miners: Iterable[str], *, drain: bool) -> None:
    """Put miners into their pools' `spec.drain`, or take them out of it."""
    by_pool: dict[str, set[str]] = {}
    for miner in miners:
        by_pool.setdefault(pool_of(miner), set()).add(miner)
    for pool, names in by_pool.items():
        _patch(kubectl, pool, names, drain=drain)


def _patch(kubectl: Kubectl, pool: str, names: set[str], *, drain: bool) -> None:
    for attempt in range(_TRIES):
        found = kubectl.get(POOL_KIND, pool)
        before = set(found["spec"].get("drain", []))
        after = before | names if drain else before - names
        if after == before:
            return
        version = found["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "spec": {"drain": sorted(after)}}
        try:
            kubectl.merge(POOL_KIND, pool, body)
        except KubectlError as error:
            if "(Conflict)" not in str(error) or attempt == _TRIES - 1:
                raise
        else:
            return


def progress(kubectl: Kubectl, miner: str) -> Progress:
    """What pool and disks say of a miner now."""
    pool = kubectl.get(POOL_KIND, pool_of(miner))
    attention = pool.get("status", {}).get("attention", [])
    word: Object = next((each for each in attention if each["miner"] == miner), {})
    disks = [disk for disk in kubectl.list(DISK_KIND) if disk["spec"]["miner"] == miner]
    shards = sum(disk.get("status", {}).get("shards", 0) for disk in disks)
    gone = kubectl.find("statefulset", miner) is None
    return Progress(
        miner, word.get("phase", "Draining"), shards, word.get("message", ""), stopped=gone
    )


def wait_stopped(
    kubectl: Kubectl, miners: list[str], patience: Patience, tell: Callable[[str], None]
) -> list[Progress]:
    """Return when the operator has stopped all of them; each change is told once."""
    last: dict[str, Progress] = {}

    def look() -> bool:
        for miner in miners:
            now = progress(kubectl, miner)
            if last.get(miner) != now:
                tell(str(now))
            last[miner] = now
        return all(each.stopped for each in last.values())

    patience.until(
        look,
        lambda: (
            f"{sum(not each.stopped for each in last.values())} of {len(miners)} miners still "
            "drain; the drain continues, `kubectl cybervein status` shows it, `--cancel` ends it"
        ),
    )
    return list(last.values())
