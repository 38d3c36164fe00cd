"""Where this operator acts: in namespaces that are watched whole, and whose Lease it holds.

Each stands on its own. What it loses, by a refusal or to another operator, is forgotten at once, as
by a restart of that namespace alone; what it gets is looked at from the beginning.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from cybervein_operator.cluster.presence import WatchedKind
from cybervein_operator.cluster.relist import KindList
from cybervein_operator.judgement.tenure import LeaseSeen, Readiness, report
from cybervein_operator.leases import LeaseHold
from cybervein_operator.spaces import WatchedSpace
from cybervein_operator.tidings import Tidings
from cybervein_operator.world import Key, Name, World, network_key, pool_key

_log = structlog.get_logger()


class Tenure:
    """Says where may be acted, and begins and ends that."""

    def __init__(
        self,
        spaces: Sequence[WatchedSpace],
        *,
        me: str,
        hold: Callable[[str], LeaseHold],
        world: World,
        tidings: Tidings,
    ) -> None:
        self._spaces = {each.name: each for each in spaces}
        self._me, self._make, self._world, self._tidings = me, hold, world, tidings
        self._holds: dict[str, LeaseHold] = {}
        self._acts: set[str] = set()
        self.changed = asyncio.Condition()
        self._alarm, self._news = asyncio.Event(), asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self.add: Callable[[Key, float], None] = lambda *_: None
        self.forget: Callable[[Name], None] = lambda _: None
        for space in spaces:
            for each in space.presences:
                each.listener = self._changed

    def may(self, namespace: str) -> bool:
        """Whether this operator acts there now."""
        hold, space = self._holds.get(namespace), self._space(namespace)
        return hold is not None and hold.held and space is not None and space.whole

    def seconds_left(self, namespace: str) -> float:
        """For how long a write there is safe from another operator's; 0: not at all."""
        hold = self._holds.get(namespace)
        return hold.seconds_left() if hold is not None else 0.0

    def claim(self, namespace: str) -> None:
        """There is something to do in a namespace: its Lease is wanted from now on."""
        space = self._space(namespace)
        if namespace in self._holds or space is None or self._group is None:
            return
        hold = self._holds[namespace] = self._make(namespace)
        hold.listener = self._changed
        hold.wanted = lambda: space.whole and (bool(space.name) or self._used(namespace))
        self._group.create_task(hold.run())

    @property
    def busy(self) -> bool:
        """Whether it acts anywhere, or nobody else does as far as it knows."""
        return bool(self._acts) or not self._holds

    def lists(self) -> list[KindList]:
        """Of all namespaces."""
        return [each for space in self._spaces.values() for each in space.lists]

    def presences(self) -> list[WatchedKind]:
        """Of all namespaces."""
        return [each for space in self._spaces.values() for each in space.presences]

    def report(self) -> Readiness:
        """For `/readyz`."""
        spaces = [each.seen() for each in self._spaces.values()]
        gone = {each.name for each in spaces if each.missing or each.waits}
        leases = [_seen(each) for each in self._holds.values() if each.namespace not in gone]
        return report(spaces, leases, self._me)

    async def run(self) -> None:
        """Hold Leases, and follow what changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            known = {each[0] for each in (*self._world.networks, *self._world.pools)}
            for name in [*filter(None, self._spaces), *sorted(known)]:
                self.claim(name)
            group.create_task(self._tell())
            while True:
                self._alarm.clear()
                await self._follow()
                await self._alarm.wait()

    async def kinds(self) -> None:
        """Return once the three kinds are there, in one of the namespaces at least."""
        async with self.changed:
            await self.changed.wait_for(lambda: any(e.kinds for e in self._spaces.values()))

    async def release(self) -> None:
        """Give back what is held: the work has ended."""
        self._acts.clear()
        await asyncio.gather(*(each.release() for each in self._holds.values()))

    async def _follow(self) -> None:
        for namespace, hold in list(self._holds.items()):
            hold.look_again()
            self._switch(namespace, acts=self.may(namespace))
        async with self.changed:
            self.changed.notify_all()

    async def _tell(self) -> None:
        """Apart from the rest: an API server that is slow to take an event holds nothing up."""
        while True:
            self._news.clear()
            await self._tell_all()
            await self._news.wait()

    async def _tell_all(self) -> None:
        for space in self._spaces.values():
            await self._tidings.of_space(space)
            if not space.whole:
                for each in space.lists:
                    each.again()
        for hold in list(self._holds.values()):
            await self._tidings.of_lease(hold)

    async def left_alone(self, key: Key) -> None:
        """Nothing is done about an object now; where a kind is missing, an event says so."""
        self.lost(key.namespace)
        space = self._space(key.namespace)
        if space is not None and not space.whole:
            await self._tidings.of_key(space, key)

    def lost(self, namespace: str) -> None:
        """It does not act there now: all is forgotten, and begins again when it may."""
        if namespace not in self._acts:
            return
        self._acts.discard(namespace)
        self._forget(namespace)
        self._tidings.of_miners()
        _log.warning("stopped acting in a namespace", namespace=namespace)

    def _changed(self) -> None:
        self._alarm.set()
        self._news.set()

    def _switch(self, namespace: str, *, acts: bool) -> None:
        if not acts:
            self.lost(namespace)
        if not acts or namespace in self._acts:
            return
        self._acts.add(namespace)
        self._forget(namespace)  # what was under way at the loss may have left its traces
        keys = self._keys(namespace)
        _log.info("acts in a namespace", namespace=namespace, objects=len(keys))
        for key in keys:
            self.add(key, 0.0)

    def _forget(self, namespace: str) -> None:
        for name in self._world.forget_namespace(namespace):
            self.forget(name)

    def _keys(self, namespace: str) -> list[Key]:
        world = self._world
        networks = [network_key(*each) for each in world.networks if each[0] == namespace]
        return networks + [pool_key(*each) for each in world.pools if each[0] == namespace]

    def _used(self, namespace: str) -> bool:
        """Whether there is anything of ours, where all namespaces are watched."""
        known = (*self._world.networks, *self._world.pools)
        return any(each[0] == namespace for each in known)

    def _space(self, namespace: str) -> WatchedSpace | None:
        return self._spaces.get(namespace) or self._spaces.get("")


def _seen(hold: LeaseHold) -> LeaseSeen:
    return LeaseSeen(hold.namespace, hold.tried, hold.held, hold.holder, hold.problem)
