"""Emptying miners: `spec.drain` of their pools, and waiting until the operator has stopped them.

A patch carries the resourceVersion it was made from, so that two people draining at once both have
their way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cybervein_protocol.errors import MalformedError, UnknownError

from cybervein_operator.api import GROUP
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import CONFLICT, ApiError
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.api_server import ApiServer
from cybervein_operator.plugin.waiting import Patience

POOL = ClusterKind.POOL.resource
DISK = ClusterKind.DISK.resource
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


@dataclass(frozen=True, slots=True)
class Emptying:
    """Whom to empty or, with `cancel`, to take back: the miners named, or all of a node."""

    miners: tuple[str, ...]
    node: str = ""
    cancel: bool = False


async def carry_out(
    api: ApiServer, order: Emptying, patience: Patience | None, tell: Callable[[str], None]
) -> tuple[list[str], list[Progress]]:
    """The miners, and with patience what became of them once all are stopped."""
    miners = sorted(set(order.miners)) or await miners_on(api, order.node)
    await set_drain(api, miners, drain=not order.cancel)
    return miners, await wait_stopped(api, miners, patience, tell) if patience else []


def pool_of(miner: str) -> str:
    """`POOL` of `POOL-N`."""
    pool, _, ordinal = miner.rpartition("-")
    if not pool or not ordinal.isdigit():
        raise MalformedError(f"{miner} is no miner's name; they are called POOL-N, as in pool-0")
    return pool


async def miners_on(api: ApiServer, node: str) -> list[str]:
    """Miners whose pod runs on a node, or whose disks were last seen there."""
    pods = await api.list(ClusterKind.POD.resource, "app.kubernetes.io/component=miner")
    here = {
        pod["metadata"]["labels"][f"{GROUP}/miner"]
        for pod in pods
        if pod["spec"].get("nodeName") == node
    }
    for disk in await api.list(DISK):
        if disk.get("status", {}).get("node") == node:
            here.add(disk["spec"]["miner"])
    if not here:
        raise UnknownError(f"no miner runs on node {node}; see `kubectl get pods -o wide`")
    return sorted(here)


async def set_drain(api: ApiServer, miners: Iterable[str], *, drain: bool) -> None:
    """Put miners into their pools' `spec.drain`, or take them out of it."""
    by_pool: dict[str, set[str]] = {}
    for miner in miners:
        by_pool.setdefault(pool_of(miner), set()).add(miner)
    for pool, names in by_pool.items():
        await _patch(api, pool, names, drain=drain)


async def _patch(api: ApiServer, pool: str, names: set[str], *, drain: bool) -> None:
    for attempt in range(_TRIES):
        found = await api.get(POOL, pool)
        before = set(found["spec"].get("drain", []))
        after = before | names if drain else before - names
        if after == before:
            return
        version = found["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "spec": {"drain": sorted(after)}}
        try:
            await api.merge(POOL, pool, body)
        except ApiError as error:
            if error.http_status != CONFLICT or attempt == _TRIES - 1:
                raise
        else:
            return


async def progress(api: ApiServer, miner: str) -> Progress:
    """What pool and disks say of a miner now."""
    pool = await api.get(POOL, pool_of(miner))
    attention = pool.get("status", {}).get("attention", [])
    word = next((each for each in attention if each["miner"] == miner), Object())
    disks = [disk for disk in await api.list(DISK) if disk["spec"]["miner"] == miner]
    shards = sum(disk.get("status", {}).get("shards", 0) for disk in disks)
    gone = await api.find(ClusterKind.STATEFUL_SET.resource, miner) is None
    return Progress(
        miner, word.get("phase", "Draining"), shards, word.get("message", ""), stopped=gone
    )


async def wait_stopped(
    api: ApiServer, miners: list[str], patience: Patience, tell: Callable[[str], None]
) -> list[Progress]:
    """Return when the operator has stopped all of them; each change is told once."""
    last: dict[str, Progress] = {}

    async def look() -> bool:
        for miner in miners:
            now = await progress(api, miner)
            if last.get(miner) != now:
                tell(str(now))
            last[miner] = now
        return all(each.stopped for each in last.values())

    await patience.until(
        look,
        lambda: (
            f"{sum(not each.stopped for each in last.values())} of {len(miners)} miners still "
            "drain; the drain continues, `kubectl cybervein status` shows it, `--cancel` ends it"
        ),
    )
    return list(last.values())
