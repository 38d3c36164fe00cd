"""kopf's part: the three kinds and the canary, by `on.event` handlers that only note and enqueue.

No handler here changes an object, so kopf writes nothing: no finalizers, no annotations, no status.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import kopf
import msgspec
import structlog
from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import GROUP, VERSION, MinerDisk, MinerPool, Network, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.canary import NAME as CANARY
from cybervein_operator.canary import Canary
from cybervein_operator.cluster.login import Login
from cybervein_operator.desired import names
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.shapes import Item
from cybervein_operator.world import Key, World, miner_key, network_key, pool_key

_log = structlog.get_logger()
_BACKOFFS: Final = (1, 1, 2, 3, 5, 8, 13, 21)
Add = Callable[[Key, float], None]


class _ForEver:
    """Delays between tries while the API server is away: growing, and without end."""

    def __iter__(self) -> Iterator[float]:
        yield from _BACKOFFS
        while True:
            yield 30.0


def configure(settings: kopf.OperatorSettings, *, cluster_wide: bool) -> None:
    """The settings that matter."""
    settings.watching.inactivity_timeout = 70
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = _ForEver()
    settings.queueing.worker_limit = 32
    settings.queueing.idle_timeout = 1.0
    settings.execution.max_workers = 2
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.label_selectors["v1", "configmaps"] = f"{Canary.LABEL}={CANARY}"
    settings.scanning.disabled = not cluster_wide
    settings.persistence.finalizer = f"{GROUP}/never"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)


class ResourceNotes:
    """What kopf sees of the three kinds goes into the world, and their keys into the queue."""

    def __init__(self, world: World, add: Add) -> None:
        self._world, self._add = world, add

    def network(self, body: Mapping[str, Any], *, gone: bool) -> None:
        """A Network was seen."""
        meta = body["metadata"]
        name = (meta["namespace"], meta["name"])
        parsed = None if gone else _parsed(Network, body)
        if parsed is None:
            self._world.networks.pop(name, None)
            self._world.views.pop(name, None)
        else:
            before = self._world.networks.get(name)
            self._world.networks[name] = parsed
            if before is not None and _same(before, parsed):
                return
        self._add(network_key(*name), 0.0)
        for pool in self._world.pools_of(*name):
            self._add(pool_key(name[0], pool.metadata.name), 0.5)

    def pool(self, body: Mapping[str, Any], *, gone: bool) -> None:
        """A MinerPool was seen."""
        meta = body["metadata"]
        name = (meta["namespace"], meta["name"])
        before = self._world.pools.get(name)
        parsed = None if gone else _parsed(MinerPool, body)
        if parsed is None:
            self._world.pools.pop(name, None)
            self._world.created.pop(meta["uid"], None)
        else:
            self._world.pools[name] = parsed
            self._world.created[meta["uid"]] = meta["creationTimestamp"]
            if before is not None and _same(before, parsed):
                return
        self._add(pool_key(*name), 0.0)
        for other in list(self._world.pools) if gone else ():  # one may have waited for its names
            self._add(pool_key(*other), 0.5)

    def disk(self, body: Mapping[str, Any], *, gone: bool) -> None:
        """A MinerDisk was seen: the operator's own objects, but for `drain` and `wipe`."""
        meta = body["metadata"]
        item = msgspec.json.decode(msgspec.json.encode(body), type=Item)
        key = (meta["namespace"], meta["name"])
        if gone:
            self._world.drop_disk(*key)
            self._world.store.drop(ClusterKind.DISK, key)
            return
        parsed = _parsed(MinerDisk, body)
        if parsed is None:
            return
        before = self._world.disks.get(key)
        self._world.put_disk(parsed)
        self._world.store.put(ClusterKind.DISK, key, seen(ClusterKind.DISK, item))
        ordinal = names.ordinal_of(parsed.spec.pool, parsed.spec.miner)
        if ordinal is not None and (before is None or before.spec != parsed.spec):
            self._add(miner_key(key[0], parsed.spec.pool, ordinal), 0.0)


def _same(before: Network | MinerPool, after: Network | MinerPool) -> bool:
    """Only status or bookkeeping changed."""
    old, new = before.metadata, after.metadata
    return (old.uid, old.generation, old.annotations, old.deletion_timestamp) == (
        new.uid,
        new.generation,
        new.annotations,
        new.deletion_timestamp,
    )


def _parsed(kind: Any, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- one of three kinds
    try:
        return parse(kind, body)
    except MalformedError as error:
        _log.error("resource cannot be read and is left alone", error=str(error)[:500])
        return None


def registry(resources: ResourceNotes, canary: Canary, login: Login) -> kopf.OperatorRegistry:
    """Kopf's handlers."""
    made = kopf.OperatorRegistry()

    @kopf.on.login(registry=made)
    async def log_in(**_: object) -> kopf.ConnectionInfo:
        return await login.for_kopf()

    for plural, note in (
        ("networks", resources.network),
        ("minerpools", resources.pool),
        ("minerdisks", resources.disk),
    ):
        _on_event(made, plural, note)

    @kopf.on.event("", "v1", "configmaps", registry=made, labels={canary.LABEL: CANARY})
    async def saw_canary(body: kopf.Body, **_: object) -> None:
        canary.seen(dict(body.get("data") or {}))

    return made


def _on_event(made: kopf.OperatorRegistry, plural: str, note: Any) -> None:  # noqa: ANN401 -- see Resources
    @kopf.on.event(GROUP, VERSION, plural, registry=made, id=plural)
    async def saw(event: kopf.RawEvent, **_: object) -> None:
        note(event["object"], gone=event["type"] == "DELETED")
