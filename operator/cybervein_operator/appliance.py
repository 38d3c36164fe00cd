"""The operator as a process: it watches, works, beats, and ends when it is told to."""

import asyncio
from contextlib import suppress
from socket import gethostname

import structlog
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.signing import KeyPair

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.assembly import Clients, assemble
from cybervein_operator.canary import Canary
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.cluster.login import Login
from cybervein_operator.control import control_key
from cybervein_operator.handlers import registry, watch
from cybervein_operator.health import serve
from cybervein_operator.metrics import Metrics
from cybervein_operator.notes import ResourceNotes
from cybervein_operator.settings import RunSettings
from cybervein_operator.tenure import Tenure
from cybervein_operator.watches import Watches
from cybervein_operator.world import World

_log = structlog.get_logger()
_KEEPER_CONCURRENCY = 8
_KOPF_ENDS_SECONDS = 5.0


class Appliance:
    """One operator process."""

    def __init__(self, settings: RunSettings, login: Login) -> None:
        self.settings, self.login = settings, login
        self.metrics, self.world = Metrics(), World()
        self.client = ClusterClient(login, self.metrics, concurrency=settings.concurrency)
        # For Leases and what is the operator's own: it waits behind no work, and no fence stops it.
        self.keeper = ClusterClient(login, self.metrics, concurrency=_KEEPER_CONCURRENCY)
        self.namespace = settings.own_namespace or login.namespace
        self.canary = Canary(self.namespace, settings.canary_seconds)
        self.watches = Watches(self.client, self.world.store, self.world.others, settings.spaces)
        self.problem, self.ended = "it starts", ""
        self.tenure: Tenure | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises what ends a part of it."""
        runner = await serve(
            self.settings.host, self.settings.port, self.metrics, self.trouble, self.ready
        )
        try:
            await self._run(stop)
        finally:
            await runner.cleanup()
            await self.client.close()
            await self.keeper.close()
        if self.ended:
            raise UnavailableError(
                f"watches of Networks, MinerPools and MinerDisks ended: {self.ended}; the operator "
                "starts over and waits for what is missing"
            )

    async def _run(self, stop: asyncio.Event) -> None:
        key = await self._control_key()
        me = "/".join((self.namespace, self.settings.release, self.settings.pod or gethostname()))
        parts = assemble(
            self.settings,
            self.world,
            clients=Clients(self.client, self.keeper),
            metrics=self.metrics,
            key=key,
            me=me,
            spaces=self.watches.spaces,
        )
        tenure = self.tenure = parts.tenure
        self.client.fence = tenure.seconds_left
        watching: asyncio.Task[None] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_until(stop))
                for kind_watch in self.watches.all:
                    group.create_task(kind_watch.run())
                for kind_list in tenure.lists():
                    group.create_task(kind_list.run())
                for each in [*self.watches.presences(), *tenure.presences()]:
                    await each.tried.wait()
                _log.info(
                    "everything was asked for once; operator starts to act",
                    networks=len(self.world.networks),
                    pools=len(self.world.pools),
                    statefulsets=self.world.store.count(ClusterKind.STATEFUL_SET),
                )
                for work in (tenure.run, parts.queue.run, parts.poller.run, self._beat):
                    group.create_task(work())
                watching = asyncio.create_task(self._kopf(tenure, parts.resources, stop))
        except* _StoppedError:
            _log.info("operator stopped")
        finally:
            await tenure.release()
            if watching is not None:  # apart from the rest, as it takes its time to end
                watching.cancel()
                await asyncio.wait({watching}, timeout=_KOPF_ENDS_SECONDS)
            await parts.close()

    async def _control_key(self) -> KeyPair:
        while True:
            try:
                return await control_key(self.keeper, self.namespace)
            except (ApiAwayError, ApiError) as error:
                self.problem = f"the control key cannot be had: {error}"
                _log.warning("the control key cannot be had; asking again", error=str(error))
                await asyncio.sleep(2)

    async def _kopf(self, tenure: Tenure, resources: ResourceNotes, stop: asyncio.Event) -> None:
        """A kind that does not exist ends it: it begins when all three are there."""
        await tenure.kinds()
        made = registry(resources, self.canary, self.login)
        self.ended = await watch(made, self.settings.namespaces, stop)
        stop.set()

    async def _beat(self) -> None:
        """Of replicas, the one that acts writes the canary."""
        while True:
            if self.tenure is not None and self.tenure.busy:
                await self.canary.beat(self.keeper)
            else:
                self.canary.rest()
            await asyncio.sleep(self.settings.canary_seconds)

    def ready(self) -> tuple[bool, str]:
        """Whether all that was asked for is looked after, and how it stands."""
        if self.tenure is None:
            return False, self.problem
        found = self.tenure.report()
        return found.ready, found.text

    def trouble(self) -> str:
        """Why a restart would help, or ""."""
        return self.watches.trouble() or self.canary.trouble()


class _StoppedError(Exception):
    """Told to stop."""


async def _until(stop: asyncio.Event) -> None:
    with suppress(asyncio.CancelledError):
        await stop.wait()
    raise _StoppedError
