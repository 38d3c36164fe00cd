"""What is told when a namespace is not watched whole, or is another operator's: once, and loudly.

A line in the log, an event where a user looks, a metric; `/readyz` says it as long as it is so.
"""

from collections import Counter
from typing import Final

import structlog

from cybervein_operator.api import MinerPool, Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.judgement.conditions import Notice
from cybervein_operator.judgement.lease import release_of
from cybervein_operator.judgement.tenure import held_by_another, missing
from cybervein_operator.leases import LeaseHold
from cybervein_operator.metrics import Metrics
from cybervein_operator.reconcile.recorder import Recorder, Reference
from cybervein_operator.spaces import WatchedSpace
from cybervein_operator.world import Key, World

_MESSAGE_MAX: Final = 1000
_log = structlog.get_logger()


class Tidings:
    """Remembers what was told of each namespace, and tells what is new."""

    def __init__(self, me: str, world: World, metrics: Metrics, recorder: Recorder) -> None:
        self._me, self._world, self._metrics, self._recorder = me, world, metrics, recorder
        self._missing: dict[str, frozenset[str]] = {}
        self._foreign: dict[str, str] = {}

    async def of_space(self, space: WatchedSpace) -> None:
        """Which kinds are not watched there, and why."""
        for each in space.presences:
            labels = (space.name, each.kind.resource.kind)
            self._metrics.watch_missing.labels(*labels).set(not each.there)
        seen = space.seen()
        words = missing(seen) if seen.missing else ""
        kinds = frozenset(each.kind for each in seen.missing)
        before, self._missing[space.name] = self._missing.get(space.name, frozenset()), kinds
        if kinds == before or (kinds and kinds < before):  # they come back one after the other
            return
        if not words:
            _log.info("namespace is watched whole again", namespace=space.name)
            return
        _log.warning("namespace is not watched whole", namespace=space.name, problem=words)
        for about in self._resources(space.name):
            await self._recorder.post(about, Notice("Warning", "WatchRefused", _short(words)))

    async def of_key(self, space: WatchedSpace, key: Key) -> None:
        """Of one that came later: its namespace is not watched whole, and nothing is done."""
        name, world, seen = (key.namespace, key.name), self._world, space.seen()
        about = world.networks.get(name) if key.what == "network" else world.pools.get(name)
        if about is not None and seen.missing:
            notice = Notice("Warning", "WatchRefused", _short(missing(seen)))
            await self._recorder.post(about, notice)

    async def of_lease(self, hold: LeaseHold) -> None:
        """Which other release has the namespace."""
        self._metrics.lease_held.labels(hold.namespace).set(hold.held)
        foreign = release_of(hold.holder) not in {"", release_of(self._me)}
        words = held_by_another(hold.holder) if foreign and not hold.held else ""
        before, self._foreign[hold.namespace] = self._foreign.get(hold.namespace, ""), words
        if not words or words == before:
            return
        _log.warning("namespace is another operator's", namespace=hold.namespace, problem=words)
        lease = ClusterKind.LEASE.resource
        about = Reference(lease.api_version, lease.kind, names.LEASE, hold.namespace)
        words = _short(f"for {self._me}: {words}")
        await self._recorder.post(about, Notice("Warning", "NamespaceHeld", words))

    def of_miners(self) -> None:
        """How many there are in each phase, where this operator acts."""
        self._metrics.miners(Counter(str(each.phase) for each in self._world.verdicts.values()))

    def _resources(self, namespace: str) -> list[Network | MinerPool]:
        found: list[Network | MinerPool] = [
            *self._world.networks.values(),
            *self._world.pools.values(),
        ]
        return [each for each in found if namespace in {"", each.metadata.namespace}]


def _short(words: str) -> str:
    return words[:_MESSAGE_MAX]
