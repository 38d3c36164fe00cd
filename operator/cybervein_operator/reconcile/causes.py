"""What events say of things that do not come: asked once for a whole pool or network, and kept.

While everything comes nothing is asked. What is missing for a while costs one list of the
namespace's warnings about that kind, twice a minute at the most.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import structlog

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import names
from cybervein_operator.judgement.causes import Stuck, of_events, silent
from cybervein_operator.judgement.miner import Facts, Trouble
from cybervein_operator.observed.facts import ClaimFacts, PodFacts
from cybervein_operator.observed.shapes import EventItem, EventPage
from cybervein_operator.observed.store import FactStore
from cybervein_operator.world import Key

_log = structlog.get_logger()
_PATIENCE_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 30.0
_LONG_SECONDS: Final = 60.0
_EVENTS_MAX: Final = 500


@dataclass(slots=True)
class _Memory:
    """Of a pool or network: since when things are stuck, when events were read, what they said."""

    since: dict[Stuck, float] = field(default_factory=dict)
    read: float = float("-inf")
    known: Mapping[Stuck, Trouble] = field(default_factory=dict)


class Causes:
    """Remembers for each pool and network; what came is forgotten."""

    def __init__(
        self,
        client: ClusterClient,
        store: FactStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._store, self._clock = client, store, clock
        self._of: dict[Key, _Memory] = {}

    def forget(self, key: Key) -> None:
        """A pool or network is gone."""
        self._of.pop(key, None)

    async def told(self, pool: MinerPool, key: Key, miners: Sequence[Facts]) -> list[Facts]:
        """The miners, each with the cause of what does not come."""
        stuck = {
            each.name: found for each in miners if (found := self._of_miner(pool, each)) is not None
        }
        known = await self.look(key, list(stuck.values()))
        return [
            replace(each, cause=known.get(stuck[each.name]), stuck=True)
            if each.name in stuck
            else each
            for each in miners
        ]

    def _of_miner(self, pool: MinerPool, miner: Facts) -> Stuck | None:
        space = pool.metadata.namespace
        if miner.leave or miner.ready:
            return None
        if miner.exists:
            claims = names.claims(pool, miner.ordinal)
            return self.stuck(space, miner.name) or self.unbound(space, claims, miner.pod)
        if miner.trouble is None or miner.trouble.reason != "NoAddress":
            return None
        service = self._store.get(ClusterKind.SERVICE, space, miner.name)
        return Stuck("Service", miner.name, service.uid) if service else None

    def stuck(self, namespace: str, name: str) -> Stuck | None:
        """What does not come of the StatefulSet of that name, if anything."""
        owner = self._store.get(ClusterKind.STATEFUL_SET, namespace, name)
        pod_name = names.pod_of(name)
        pod = self._store.get(ClusterKind.POD, namespace, pod_name)
        if pod is None:
            return Stuck("StatefulSet", name, owner.uid) if owner else None
        creating = isinstance(pod.facts, PodFacts) and pod.facts.creating and not pod.deleting
        return Stuck("Pod", pod_name, pod.uid) if creating else None

    def unbound(self, namespace: str, claims: Iterable[str], pod: PodFacts | None) -> Stuck | None:
        """The first claim without a volume of a pod that no node takes."""
        if pod is None or not pod.unscheduled:
            return None
        for name in claims:
            claim = self._store.get(ClusterKind.CLAIM, namespace, name)
            if claim and isinstance(claim.facts, ClaimFacts) and claim.facts.phase == "Pending":
                return Stuck("PersistentVolumeClaim", name, claim.uid)
        return None

    async def look(self, key: Key, stuck: Sequence[Stuck]) -> Mapping[Stuck, Trouble]:
        """What is known of what is stuck; events are read where that lasts."""
        if not stuck:
            self.forget(key)
            return {}
        memory, now = self._of.setdefault(key, _Memory()), self._clock()
        memory.since = {each: memory.since.get(each, now) for each in stuck}
        late = [each for each in stuck if now - memory.since[each] >= _PATIENCE_SECONDS]
        if late and now - memory.read >= _AGAIN_SECONDS:
            memory.read = now
            told = of_events(late, await self._events(key.namespace, late))
            long = [each for each in late if now - memory.since[each] >= _LONG_SECONDS]
            memory.known = {**silent(long), **told}
        return memory.known

    async def _events(self, namespace: str, late: Sequence[Stuck]) -> list[EventItem]:
        found: list[EventItem] = []
        for kind in sorted({each.kind for each in late}):
            of_kind = [each for each in late if each.kind == kind]
            fields = f"type=Warning,reason!=FailedScheduling,involvedObject.kind={kind}"
            if len(of_kind) == 1:
                fields += f",involvedObject.name={of_kind[0].name}"
            found += await self._list(namespace, fields)
        return found

    async def _list(self, namespace: str, fields: str) -> list[EventItem]:
        """Without leave to read events nothing is said, as before there was any."""
        try:
            text = await self._client.select(ClusterKind.EVENT, namespace, fields, _EVENTS_MAX)
        except ApiError as error:
            if not error.forbidden:
                raise
            _log.warning("events may not be read; a cause may go untold", error=str(error)[:300])
            return []
        return msgspec.json.decode(text, type=EventPage).items
