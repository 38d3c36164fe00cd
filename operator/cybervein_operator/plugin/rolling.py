"""Restarting miners one after the other, and holding the operator back.

All of it is an annotation on a resource: the operator rolls what was asked to restart as it rolls
an upgrade, after proofs and within the budget, and changes nothing of what is paused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cybervein_protocol.errors import MalformedError, UnknownError

from cybervein_operator.api.kinds import ClusterKind, Resource
from cybervein_operator.desired import names
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.api_server import ApiServer
from cybervein_operator.plugin.drains import POOL, pool_of
from cybervein_operator.plugin.overview import condition
from cybervein_operator.plugin.waiting import Patience

_KINDS: Final = {"minerpool": POOL, "network": ClusterKind.NETWORK.resource}
_POD: Final = ClusterKind.POD.resource
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restarted:
    """Where the restart of some miners stands: those that are ready again, and what holds it up."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        head = f"{len(self.done)} of {len(self.done) + len(self.left)} miners have restarted"
        return f"{head}; {self.why}" if self.left and self.why else head


async def restart(
    api: ApiServer, pool: str, miners: Sequence[str], patience: Patience | None, tell: Tell
) -> list[str]:
    """Ask for it and, with patience, return when all are ready again; their names."""
    found = await api.get(POOL, pool)
    chosen = _chosen(found, miners)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    keys = [names.RESTART_MINER + each for each in miners] or [names.RESTART]
    await api.merge(POOL, pool, {"metadata": {"annotations": dict.fromkeys(keys, now)}})
    if _paused(found):
        tell(f"{pool} is paused: nothing restarts before kubectl cybervein resume minerpool/{pool}")
    if patience is not None:
        await _wait(api, pool, chosen, patience, tell)
    return chosen


def _chosen(pool: Object, miners: Sequence[str]) -> list[str]:
    """The miners named, or all that the pool wants. Raises MalformedError for another pool's."""
    name, spec = pool["metadata"]["name"], pool["spec"]
    wrong = [each for each in miners if pool_of(each) != name]
    if wrong:
        raise MalformedError(
            f"{wrong[0]} is no miner of MinerPool {name}; they are called {name}-N"
        )
    wanted = [names.miner(name, each) for each in range(spec.get("replicas", 1))]
    return sorted(set(miners)) or [each for each in wanted if each not in spec.get("drain", [])]


async def _wait(
    api: ApiServer, pool: str, miners: list[str], patience: Patience, tell: Tell
) -> None:
    """Each change is told once."""
    told = ""

    async def look() -> bool:
        nonlocal told
        now = await progress(api, pool, miners)
        if str(now) != told:
            tell(str(now))
        told = str(now)
        return not now.left

    await patience.until(look, lambda: f"{told}; the restart continues, status shows it")


async def progress(api: ApiServer, pool: str, miners: Sequence[str]) -> Restarted:
    """Who runs a pod that was made for the restart, and is ready in it."""
    found = await api.get(POOL, pool)
    notes = found["metadata"].get("annotations", {})
    pods = {
        each["metadata"]["labels"].get(names.MINER, ""): each
        for each in await api.list(_POD, f"{names.POOL}={pool}")
    }
    done = tuple(
        each for each in miners if each in pods and _anew(pods[each], names.restart_of(notes, each))
    )
    moves = condition(found, "Progressing")
    why = moves.get("message", "") if moves.get("status") == "True" else ""
    return Restarted(done, tuple(each for each in miners if each not in done), why)


def _anew(pod: Object, wish: str) -> bool:
    asked = pod["metadata"].get("annotations", {}).get(names.RESTART)
    gone = "deletionTimestamp" in pod["metadata"]
    return asked == wish and not gone and condition(pod, "Ready").get("status") == "True"


async def pause(api: ApiServer, which: str, *, paused: bool) -> str:
    """Hold the operator back from a pool or network, or let it work again; returns KIND/NAME."""
    kind, name = await _resource(api, which)
    value = "true" if paused else None
    body = {"metadata": {"annotations": {names.PAUSED: value}}}
    await api.merge(_KINDS[kind], name, body)
    return f"{kind}/{name}"


async def _resource(api: ApiServer, which: str) -> tuple[str, str]:
    """KIND/NAME, or a name that one of the two kinds has. Raises UnknownError, MalformedError."""
    kind, mark, name = which.partition("/")
    if mark:
        if kind not in _KINDS or not name:
            raise MalformedError(f"{which}: expected minerpool/NAME or network/NAME")
        return kind, name
    there = [each for each, of in _KINDS.items() if await _there(api, of, which)]
    if len(there) > 1:
        raise MalformedError(f"there are both: name minerpool/{which} or network/{which}")
    if not there:
        raise UnknownError(f"neither a MinerPool nor a Network {which} is in {api.namespace}")
    return there[0], which


async def _there(api: ApiServer, kind: Resource, name: str) -> bool:
    return await api.find(kind, name) is not None


def _paused(found: Object) -> bool:
    return bool(found["metadata"].get("annotations", {}).get(names.PAUSED) == "true")
