"""The operator as a process: it watches, works, beats, and ends when it is told to."""

import asyncio
import time
from contextlib import suppress

import kopf
import structlog
from cybervein_protocol.signing import KeyPair

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.assembly import assemble
from cybervein_operator.canary import Canary
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiAwayError
from cybervein_operator.cluster.login import Login
from cybervein_operator.cluster.watch import KindWatch
from cybervein_operator.control import control_key
from cybervein_operator.desired import names
from cybervein_operator.handlers import ResourceNotes, configure, registry
from cybervein_operator.health import serve
from cybervein_operator.metrics import Metrics
from cybervein_operator.settings import RunSettings
from cybervein_operator.world import World

_log = structlog.get_logger()
_CHILDREN = (
    ClusterKind.STATEFUL_SET,
    ClusterKind.SERVICE,
    ClusterKind.CLAIM,
    ClusterKind.POD,
    ClusterKind.BUDGET,
    ClusterKind.CONFIG_MAP,
)
_MINE = f"app.kubernetes.io/managed-by={names.FIELD_MANAGER}"
_SILENCE_SECONDS_MAX = 600.0


class Appliance:
    """One operator process."""

    def __init__(self, settings: RunSettings, login: Login) -> None:
        self.settings, self.login = settings, login
        self.metrics, self.world = Metrics(), World()
        self.client = ClusterClient(self.login, self.metrics, concurrency=settings.concurrency)
        self.namespace = settings.own_namespace or self.login.namespace
        self.canary = Canary(self.namespace, settings.canary_seconds)
        self.watches = self._watches()

    def _watches(self) -> list[KindWatch]:
        spaces = self.settings.namespaces or ("",)
        store = self.world.store
        made = [
            KindWatch(self.client, kind, store, namespace=space, selector=_MINE)
            for kind in _CHILDREN
            for space in spaces
        ]
        return [*made, KindWatch(self.client, ClusterKind.NODE, store, optional=True)]

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises what ends a part of it."""
        runner = await serve(self.settings.host, self.settings.port, self.metrics, self.trouble)
        try:
            await self._run(stop)
        finally:
            await runner.cleanup()
            await self.client.close()

    async def _run(self, stop: asyncio.Event) -> None:
        key = await self._control_key()
        parts = assemble(self.settings, self.world, self.client, self.metrics, key)
        try:
            async with asyncio.TaskGroup() as group:
                for watch in self.watches:
                    group.create_task(watch.run())
                await self._synced(parts.resources)
                group.create_task(parts.queue.run())
                group.create_task(parts.poller.run())
                group.create_task(self._beat())
                group.create_task(self._kopf(parts.resources, stop))
                group.create_task(_until(stop))
        except* _StoppedError:
            _log.info("operator stopped")
        finally:
            await parts.close()

    async def _control_key(self) -> KeyPair:
        while True:
            try:
                return await control_key(self.client, self.namespace)
            except ApiAwayError as error:
                _log.warning("the API server does not answer yet; asking again", error=str(error))
                await asyncio.sleep(2)

    async def _synced(self, resources: ResourceNotes) -> None:
        """Nothing is decided before everything was listed once."""
        for watch in self.watches:
            await watch.listed.wait()
        for kind, note in (
            (ClusterKind.DISK, resources.disk),
            (ClusterKind.POOL, resources.pool),
            (ClusterKind.NETWORK, resources.network),
        ):
            for space in self.settings.namespaces or (None,):
                for body in await self.client.list_all(kind, space):
                    note(body, gone=False)
        _log.info(
            "everything was listed once; operator starts to act",
            networks=len(self.world.networks),
            pools=len(self.world.pools),
            statefulsets=self.world.store.count(ClusterKind.STATEFUL_SET),
        )

    async def _kopf(self, resources: ResourceNotes, stop: asyncio.Event) -> None:
        """Kopf takes the signals over, and returns after one."""
        settings = kopf.OperatorSettings()
        spaces = self.settings.namespaces
        configure(settings, cluster_wide=not spaces)
        await kopf.operator(
            registry=registry(resources, self.canary, self.login),
            settings=settings,
            clusterwide=not spaces,
            namespaces=spaces,
            standalone=True,
        )
        stop.set()

    async def _beat(self) -> None:
        while True:
            await self.canary.beat(self.client)
            await asyncio.sleep(self.settings.canary_seconds)

    def trouble(self) -> str:
        """Why a restart would help, or ""."""
        now = time.monotonic()
        dead = [
            each.kind.resource.kind
            for each in self.watches
            if each.connected and now - each.last_seen > _SILENCE_SECONDS_MAX
        ]
        if dead:
            return f"watches of {', '.join(dead)} have been silent for ten minutes"
        return self.canary.trouble()


class _StoppedError(Exception):
    """Told to stop."""


async def _until(stop: asyncio.Event) -> None:
    with suppress(asyncio.CancelledError):
        await stop.wait()
    raise _StoppedError
