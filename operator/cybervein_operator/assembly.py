"""The operator's parts, wired together once; `appliance` runs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import KeyPair, address

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.applier import Applier
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.judgement.lease import LeaseTimes
from cybervein_operator.leases import LeaseHold
from cybervein_operator.metrics import Metrics
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.poller import Poller
from cybervein_operator.notes import ResourceNotes
from cybervein_operator.polling import MinerPolls
from cybervein_operator.reconcile.dispatch import Dispatch
from cybervein_operator.reconcile.recorder import Recorder
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.routing import Router
from cybervein_operator.settings import RunSettings
from cybervein_operator.spaces import WatchedSpace
from cybervein_operator.tenure import Tenure
from cybervein_operator.tidings import Tidings
from cybervein_operator.workqueue import WorkQueue
from cybervein_operator.world import Key, World

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Clients:
    """Of the API server: for work, and for the operator's own objects."""

    work: ClusterClient
    keeper: ClusterClient


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs (`queue`, `poller`), what is told of resources, and what is closed at the end."""

    queue: WorkQueue[Key]
    poller: Poller
    resources: ResourceNotes
    dispatch: Dispatch
    miners: MinerClient
    tenure: Tenure

    async def close(self) -> None:
        """Close connections."""
        await self.dispatch.close()
        await self.miners.close()


def assemble(  # noqa: PLR0913 -- wired together once
    settings: RunSettings,
    world: World,
    *,
    clients: Clients,
    metrics: Metrics,
    key: KeyPair,
    me: str,
    spaces: Callable[[ResourceNotes], Sequence[WatchedSpace]],
) -> Parts:
    """Everything that works on `world` as `me`, with the control `key`, in the `spaces`.

    The world's store is listened to.
    """
    client, keeper, times = clients.work, clients.keeper, LeaseTimes(settings.lease_seconds)

    async def reconcile(work: Key) -> float | None:
        """Where this operator does not act (any more), nothing is done; it begins with all keys."""
        if tenure.may(work.namespace):
            return await dispatch.reconcile(work)
        await tenure.left_alone(work)
        return None

    def add(work: Key, delay_seconds: float) -> None:
        tenure.claim(work.namespace)
        queue.add(work, delay_seconds)

    notes = ResourceNotes(world, add)
    tenure = Tenure(
        spaces(notes),
        me=me,
        hold=lambda namespace: LeaseHold(keeper, namespace, me, times),
        world=world,
        tidings=Tidings(me, world, metrics, Recorder(keeper, metrics)),
    )
    queue: WorkQueue[Key] = WorkQueue(
        reconcile,
        _failed(metrics),
        workers=settings.workers,
        urgent=lambda work: work.what != "miner",
    )
    metrics.queue_depth.set_function(lambda: queue.depth)
    miners = MinerClient(settings.miner_url, key, fence=tenure.seconds_left)
    poller = Poller(
        MinerPolls(world, miners, metrics, queue.add).poll,
        rate_per_second=settings.polls_per_second,
        period_seconds=settings.poll_seconds,
    )
    dispatch = Dispatch(
        Tools(
            world=world,
            client=client,
            applier=Applier(client, world.store, _drifted(metrics)),
            recorder=Recorder(client, metrics),
            metrics=metrics,
            miners=miners,
            poller=poller,
            add=queue.add,
            image=settings.image,
            pull_secrets=settings.pull_secrets,
            version=version("cybervein"),
            control=address(key.public),
            supernode_url=settings.supernode_url,
        )
    )
    router = Router(world, queue.add)
    world.store.listener, world.others.listener = router.changed, router.other_claim
    tenure.add, tenure.forget = queue.add, poller.forget
    return Parts(queue, poller, notes, dispatch, miners, tenure)


def _failed(metrics: Metrics) -> Callable[[Key, Exception], None]:
    def failed(key: Key, error: Exception) -> None:
        metrics.reconciles.labels(key.what, "failed").inc()
        known = isinstance(error, CyberVeinError | ApiError)
        say = _log.warning if known else _log.error
        say(
            "object could not be reconciled; trying again",
            what=key.what,
            namespace=key.namespace,
            name=key.name,
            error=str(error)[:500],
            exc_info=None if known else error,
        )

    return failed


def _drifted(metrics: Metrics) -> Callable[[ClusterKind, str, str], None]:
    def drifted(kind: ClusterKind, namespace: str, name: str) -> None:
        metrics.drift.labels(kind.resource.plural).inc()
        _log.info(
            "put back an object that somebody else had changed",
            kind=kind.resource.kind,
            namespace=namespace,
            name=name,
        )

    return drifted
