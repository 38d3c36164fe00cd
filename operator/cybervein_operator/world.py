"""Everything that the operator knows, in one place; lost at a restart, and found again."""

from dataclasses import dataclass, field
from typing import NamedTuple

from cybervein_protocol.api.super_node.backup import BackupDocument
from cybervein_protocol.api.super_node.miners import ListedMiner

from cybervein_operator.api import MinerDisk, MinerPool, Network
from cybervein_operator.desired.facts import NetworkFacts
from cybervein_operator.judgement.miner import MinerVerdict, Trouble
from cybervein_operator.judgement.pool import MinerOrder
from cybervein_operator.miners.report import Poll
from cybervein_operator.observed.store import FactStore

Name = tuple[str, str]
"""Namespace and name."""


class Key(NamedTuple):
    """A piece of work: a network, a pool, or one miner of a pool."""

    what: str
    namespace: str
    name: str
    pool: str = ""
    ordinal: int = -1


def network_key(namespace: str, name: str) -> Key:
    """Look at a network."""
    return Key("network", namespace, name)


def pool_key(namespace: str, name: str) -> Key:
    """Look at a pool as a whole."""
    return Key("pool", namespace, name)


def miner_key(namespace: str, pool: str, ordinal: int) -> Key:
    """Look at one miner."""
    return Key("miner", namespace, f"{pool}-{ordinal}", pool, ordinal)


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network that can be mined in, and what its super node said last."""

    facts: NetworkFacts
    cid: str
    epoch_seconds: int
    epoch: int | None = None
    height: int | None = None
    standings: dict[str, ListedMiner] = field(default_factory=dict)
    backup: BackupDocument | None = None
    """Asked only where snapshots or a recovery are in the spec."""
    error: str = ""


@dataclass(slots=True)
class World:
    """Resources, observations, and what was decided last."""

    store: FactStore = field(default_factory=FactStore)
    others: FactStore = field(default_factory=FactStore)
    """Claims that people made: `existingClaims` are among them."""
    networks: dict[Name, Network] = field(default_factory=dict)
    pools: dict[Name, MinerPool] = field(default_factory=dict)
    disks: dict[Name, MinerDisk] = field(default_factory=dict)
    of_miner: dict[Name, dict[str, MinerDisk]] = field(default_factory=dict)
    """MinerDisks by miner and disk."""
    created: dict[str, str] = field(default_factory=dict)
    """Creation time of pools by uid."""
    views: dict[Name, NetworkView] = field(default_factory=dict)
    polls: dict[Name, Poll] = field(default_factory=dict)
    orders: dict[Name, MinerOrder] = field(default_factory=dict)
    verdicts: dict[Name, MinerVerdict] = field(default_factory=dict)
    troubles: dict[Name, Trouble] = field(default_factory=dict)
    homes: dict[Name, str] = field(default_factory=dict)
    """The node on which each miner runs or ran last."""
    granted: dict[Name, int | None] = field(default_factory=dict)
    """Miners whose upgrade is under way, with the epoch in which it began."""
    looked: set[Key] = field(default_factory=set)
    """What was looked at since the start: of the rest nothing is known, which is no bad news."""
    said: dict[Name, MinerVerdict] = field(default_factory=dict)
    """What pools said of their miners before the start; it stands until a miner was heard of."""
    owners: dict[Name, tuple[tuple[str, int], str]] = field(default_factory=dict)
    """The owner of new miners of a pool, and the uid and generation it was looked up for."""

    def pools_of(self, namespace: str, network: str) -> list[MinerPool]:
        """Pools that mine in a network."""
        return [
            pool
            for (space, _), pool in self.pools.items()
            if space == namespace and pool.spec.network_ref.name == network
        ]

    def home_of(self, name: Name, node: str) -> str:
        """The miner's node: where its pod is now or, without, was last, by its disks if need be."""
        if node:
            self.homes[name] = node
        elif name not in self.homes:
            told = (each.status.node for each in self.disks_of(*name))
            self.homes[name] = next((each for each in told if each), "")
        return self.homes[name]

    def disks_of(self, namespace: str, miner: str) -> list[MinerDisk]:
        """The MinerDisks of a miner: those of the spec, and what is left of others."""
        return list(self.of_miner.get((namespace, miner), {}).values())

    def put_disk(self, disk: MinerDisk) -> None:
        """A MinerDisk is there, or changed."""
        space = disk.metadata.namespace
        self.disks[space, disk.metadata.name] = disk
        self.of_miner.setdefault((space, disk.spec.miner), {})[disk.spec.disk] = disk

    def drop_disk(self, namespace: str, name: str) -> None:
        """A MinerDisk is gone."""
        disk = self.disks.pop((namespace, name), None)
        if disk is not None:
            self.of_miner.get((namespace, disk.spec.miner), {}).pop(disk.spec.disk, None)

    def forget_namespace(self, namespace: str) -> list[Name]:
        """Somebody else acts there now: what was decided and heard is old. Names its miners."""
        self.looked = {each for each in self.looked if each.namespace != namespace}
        for view in [each for each in self.views if each[0] == namespace]:
            del self.views[view]
        self.owners = {name: each for name, each in self.owners.items() if name[0] != namespace}
        kept = (self.polls, self.orders, self.verdicts, self.troubles, self.granted, self.said)
        miners = {name for known in kept for name in known if name[0] == namespace}
        for name in miners:
            self.forget_miner(name)
        return sorted(miners)

    def forget_miner(self, name: Name) -> None:
        """A miner is no more: nothing of it is remembered."""
        self.polls.pop(name, None)
        self.orders.pop(name, None)
        self.verdicts.pop(name, None)
        self.troubles.pop(name, None)
        self.granted.pop(name, None)
        self.said.pop(name, None)
        self.homes.pop(name, None)
