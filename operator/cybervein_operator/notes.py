"""What was seen of the three kinds, noted in the world, by kopf's events and by lists."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import MinerDisk, MinerPool, Network, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.shapes import Item
from cybervein_operator.world import Key, Name, World, miner_key, network_key, pool_key

_log = structlog.get_logger()
Add = Callable[[Key, float], None]
_Resource = Network | MinerPool | MinerDisk


class ResourceNotes:
    """What is seen of the three kinds goes into the world, and their keys into the queue."""

    def __init__(self, world: World, add: Add) -> None:
        self._world, self._add = world, add
        self._notes = {
            ClusterKind.NETWORK: self.network,
            ClusterKind.POOL: self.pool,
            ClusterKind.DISK: self.disk,
        }

    def known(self, kind: ClusterKind, namespace: str) -> dict[Name, str]:
        """Uids of what is known of a kind, in one namespace or ("") in all."""
        world = self._world
        known: dict[ClusterKind, Mapping[Name, _Resource]] = {
            ClusterKind.NETWORK: world.networks,
            ClusterKind.POOL: world.pools,
            ClusterKind.DISK: world.disks,
        }
        here = {name: each for name, each in known[kind].items() if namespace in {"", name[0]}}
        return {name: each.metadata.uid for name, each in here.items()}

    def replace(
        self, kind: ClusterKind, bodies: Sequence[Mapping[str, Any]], before: Mapping[Name, str]
    ) -> None:
        """A whole list. What was known `before` it was asked for, and is not in it, is gone."""
        note = self._notes[kind]
        for body in bodies:
            note(body, gone=False)
        listed = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in bodies}
        now = self.known(kind, "")
        for name in before.keys() - listed:
            if now.get(name) == before[name]:
                meta = {"namespace": name[0], "name": name[1], "uid": before[name]}
                note({"metadata": meta}, gone=True)

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
            if before is not None and _older(parsed, before):
                return
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
            if before is not None and _older(parsed, before):
                return
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
        key = (meta["namespace"], meta["name"])
        if gone:
            self._world.drop_disk(*key)
            self._world.store.drop(ClusterKind.DISK, key)
            return
        parsed = _parsed(MinerDisk, body)
        if parsed is None:
            return
        before = self._world.disks.get(key)
        if before is not None and _older(parsed, before):
            return
        item = msgspec.json.decode(msgspec.json.encode(body), type=Item)
        self._world.put_disk(parsed)
        self._world.store.put(ClusterKind.DISK, key, seen(ClusterKind.DISK, item))
        ordinal = names.ordinal_of(parsed.spec.pool, parsed.spec.miner)
        if ordinal is not None and (before is None or before.spec != parsed.spec):
            self._add(miner_key(key[0], parsed.spec.pool, ordinal), 0.0)
        if self._mounts_change(before, parsed):
            self._add(pool_key(key[0], parsed.spec.pool), 0.5)

    def _mounts_change(self, before: MinerDisk | None, after: MinerDisk) -> bool:
        """Whether a disk that leaves has come to another phase: it decides what a pod mounts."""
        pool = self._world.pools.get((after.metadata.namespace, after.spec.pool))
        if pool is None or after.spec.disk in {each.name for each in pool.spec.disks}:
            return False
        return before is None or before.status.phase is not after.status.phase


def _same(before: Network | MinerPool, after: Network | MinerPool) -> bool:
    """Only status or bookkeeping changed."""
    old, new = before.metadata, after.metadata
    return (old.uid, old.generation, old.annotations, old.deletion_timestamp) == (
        new.uid,
        new.generation,
        new.annotations,
        new.deletion_timestamp,
    )


def _older(new: _Resource, known: _Resource) -> bool:
    """A list may be older than an event that came while it was read."""
    one, two = new.metadata, known.metadata
    numbers = one.resource_version.isdigit() and two.resource_version.isdigit()
    same = one.uid == two.uid and numbers
    return same and int(one.resource_version) < int(two.resource_version)


def _parsed(kind: Any, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- one of three kinds
    try:
        return parse(kind, body)
    except MalformedError as error:
        _log.error("resource cannot be read and is left alone", error=str(error)[:500])
        return None
