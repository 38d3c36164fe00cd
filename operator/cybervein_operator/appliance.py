"""The whole operator: everything made once, wired together, and run until it is told to stop."""

import asyncio
import time
from contextlib import suppress
from importlib.metadata import version

import kopf
import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import KeyPair, address

from cybervein_operator.canary import Canary
from cybervein_operator.cluster.applier import Applier
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.cluster.kinds import Kind
from cybervein_operator.cluster.login import find_login
from cybervein_operator.cluster.recorder import Recorder
from cybervein_operator.cluster.watch import Watch
from cybervein_operator.control import control_key
from cybervein_operator.desired import names
from cybervein_operator.handlers import Resources, configure, registry
from cybervein_operator.health import serve
from cybervein_operator.metrics import Metrics
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.poller import Poller
from cybervein_operator.polling import MinerPolls
from cybervein_operator.reconcile.dispatch import Dispatch
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.routing import Router
from cybervein_operator.settings import Settings
from cybervein_operator.work.queue import WorkQueue
from cybervein_operator.world import Key, World

_log = structlog.get_logger()
_CHILDREN = (
    Kind.STATEFUL_SET,
    Kind.SERVICE,
    Kind.CLAIM,
    Kind.POD,
    Kind.BUDGET,
    Kind.CONFIG_MAP,
)
_MINE = f"app.kubernetes.io/managed-by={names.FIELD_MANAGER}"
_SILENCE_SECONDS_MAX = 600.0


class Appliance:
    """One operator process."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.login = settings, find_login(settings.kubeconfig)
        self.metrics, self.world = Metrics(), World()
        self.client = ClusterClient(self.login, self.metrics, concurrency=settings.concurrency)
        self.namespace = settings.own_namespace or self.login.namespace
        self.canary = Canary(self.namespace, settings.canary_seconds)
        self.watches = self._watches()

    def _watches(self) -> list[Watch]:
        spaces = self.settings.namespaces or ("",)
        store = self.world.store
        made = [
            Watch(self.client, kind, store, namespace=space, selector=_MINE)
            for kind in _CHILDREN
            for space in spaces
        ]
        return [*made, Watch(self.client, Kind.NODE, store, optional=True)]

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
        miners = MinerClient(self.settings.miner_url, key)
        dispatch: Dispatch | None = None

        async def reconcile(work: Key) -> float | None:
            assert dispatch is not None  # noqa: S101 -- set before anything runs
            return await dispatch.reconcile(work)

        queue: WorkQueue[Key] = WorkQueue(
            reconcile,
            self._failed,
            workers=self.settings.workers,
            urgent=lambda key: key.what != "miner",
        )
        self.metrics.queue_depth.set_function(lambda: queue.depth)
        polls = MinerPolls(self.world, miners, self.metrics, queue.add)
        poller = Poller(
            polls.poll,
            rate_per_second=self.settings.polls_per_second,
            period_seconds=self.settings.poll_seconds,
        )
        applier = Applier(self.client, self.world.store, self._drifted)
        tools = Tools(
            world=self.world,
            client=self.client,
            applier=applier,
            recorder=Recorder(self.client, self.metrics),
            metrics=self.metrics,
            miners=miners,
            poller=poller,
            add=queue.add,
            image=self.settings.image,
            version=version("cybervein"),
            control=address(key.public),
            supernode_url=self.settings.supernode_url,
        )
        dispatch = Dispatch(tools)
        self.world.store.listener = Router(self.world, queue.add).changed
        resources = Resources(self.world, queue.add)
        try:
            async with asyncio.TaskGroup() as group:
                for watch in self.watches:
                    group.create_task(watch.run())
                await self._synced(resources)
                group.create_task(queue.run())
                group.create_task(poller.run())
                group.create_task(self._beat())
                group.create_task(self._kopf(resources, stop))
                group.create_task(_until(stop))
        except* _StoppedError:
            _log.info("operator.stopped")
        finally:
            await dispatch.close()
            await miners.close()

    async def _control_key(self) -> KeyPair:
        while True:
            try:
                return await control_key(self.client, self.namespace)
            except ApiAwayError as error:
                _log.warning("operator.waits", error=str(error))
                await asyncio.sleep(2)

    async def _synced(self, resources: Resources) -> None:
        """Nothing is decided before everything was listed once."""
        for watch in self.watches:
            await watch.listed.wait()
        for kind, note in (
            (Kind.DISK, resources.disk),
            (Kind.POOL, resources.pool),
            (Kind.NETWORK, resources.network),
        ):
            for space in self.settings.namespaces or (None,):
                for body in await self.client.list_all(kind, space):
                    note(body, gone=False)
        _log.info(
            "operator.synced",
            networks=len(self.world.networks),
            pools=len(self.world.pools),
            statefulsets=self.world.store.count(Kind.STATEFUL_SET),
        )

    async def _kopf(self, resources: Resources, stop: asyncio.Event) -> None:
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

    def _failed(self, key: Key, error: Exception) -> None:
        self.metrics.reconciles.labels(key.what, "failed").inc()
        known = isinstance(error, CyberVeinError | ApiError)
        _log.log(
            30 if known else 40,
            "reconcile.failed",
            what=key.what,
            namespace=key.namespace,
            name=key.name,
            error=str(error)[:500],
            exc_info=None if known else error,
        )

    def _drifted(self, kind: Kind, namespace: str, name: str) -> None:
        self.metrics.drift.labels(kind.resource.plural).inc()
        _log.info("drift.corrected", kind=kind.resource.kind, namespace=namespace, name=name)


class _StoppedError(Exception):
    """Told to stop."""


async def _until(stop: asyncio.Event) -> None:
    with suppress(asyncio.CancelledError):
        await stop.wait()
    raise _StoppedError
