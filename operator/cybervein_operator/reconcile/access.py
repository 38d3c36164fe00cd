"""What stops a whole pool: no network yet, a namespace without leave for host access, conflicts."""

from dataclasses import dataclass

from cybervein_operator.api import AddressType, MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import fleet, names
from cybervein_operator.desired.address import SHARDS_PORT
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import World

HOST_ACCESS = "cybervein.io/host-access"
ALLOWED = "allowed"


async def pool_trouble(tools: Tools, pool: MinerPool) -> Trouble | None:
    """The first thing that stops the pool, or None."""
    space, network = pool.metadata.namespace, pool.spec.network_ref.name
    if (space, network) not in tools.world.networks:
        return Trouble("NetworkNotFound", f"Network {network} does not exist here; create it")
    wrong = fleet.contradictions(pool)
    if wrong:
        return Trouble("InvalidSpec", "; ".join(wrong))
    other = conflict(tools.world, pool)
    if other:
        return Trouble("Conflict", other)
    if (space, network) not in tools.world.views:
        return Trouble(
            "NetworkNotReady", f"Network {network} has no network file yet; it waits", blocks=False
        )
    if needs_host(pool) and not await _host_allowed(tools, space):
        return Trouble(
            "HostAccessDenied",
            f"hostPath and HostPort need the label {HOST_ACCESS}={ALLOWED} on namespace {space}",
        )
    return None


def needs_host(pool: MinerPool) -> bool:
    """Whether the pods reach into their node."""
    paths = any(each.host_path is not None for each in pool.spec.disks)
    return paths or pool.spec.address.type is AddressType.HOST_PORT


async def _host_allowed(tools: Tools, namespace: str) -> bool:
    try:
        found = await tools.client.get(ClusterKind.NAMESPACE, None, namespace, metadata_only=True)
    except ApiError as error:
        if error.forbidden:
            return False
        raise
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    return bool(labels.get(HOST_ACCESS) == ALLOWED)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a pool takes that another may want: claims, directories, ports of nodes."""

    claims: frozenset[str]
    paths: frozenset[str]
    host_ports: range
    node_ports: range


def conflict(world: World, pool: MinerPool) -> str:
    """What an older pool has taken already, as a sentence, or ""."""
    mine = _taken(pool)
    if not (mine.claims or mine.paths or mine.host_ports or mine.node_ports):
        return ""
    for other in world.pools.values():
        if other.metadata.uid == pool.metadata.uid or not _older(world, other, pool):
            continue
        said = _overlap(pool, other, mine, _taken(other))
        if said:
            return said
    return ""


def _older(world: World, one: MinerPool, two: MinerPool) -> bool:
    return _age(world, one) < _age(world, two)


def _age(world: World, pool: MinerPool) -> tuple[str, bool, str]:
    """Creation times have whole seconds: within one, the pool that has miners is the older."""
    meta = pool.metadata
    miners = world.store.of_pool(ClusterKind.STATEFUL_SET, meta.namespace, meta.name)
    return world.created.get(meta.uid, ""), next(miners, None) is None, meta.uid


def _overlap(pool: MinerPool, other: MinerPool, mine: _Taken, theirs: _Taken) -> str:
    name, same_space = other.metadata.name, pool.metadata.namespace == other.metadata.namespace
    claims = sorted(mine.claims & theirs.claims) if same_space else []
    if claims:
        return f"claim {claims[0]} belongs to the older MinerPool {name}; name another"
    if _ranges_meet(mine.node_ports, theirs.node_ports):
        return f"its node ports overlap with those of the older MinerPool {name}; move address.port"
    if not _nodes_meet(pool, other):
        return ""
    paths = sorted(mine.paths & theirs.paths)
    if paths:
        return f"hostPath {paths[0]} belongs to the older MinerPool {name}; name another"
    if _ranges_meet(mine.host_ports, theirs.host_ports):
        return f"its host ports overlap with those of the older MinerPool {name}; move address.port"
    return ""


def _taken(pool: MinerPool) -> _Taken:
    spec = pool.spec
    existing = {claim for disk in spec.disks for claim in (disk.existing_claims or ())}
    made = {claim for n in range(spec.replicas) for claim in names.claims(pool, n)}
    host, node = (
        spec.address.type is AddressType.HOST_PORT,
        spec.address.type is AddressType.NODE_PORT,
    )
    return _Taken(
        frozenset(existing | made),
        frozenset(each.host_path for each in spec.disks if each.host_path is not None),
        _ports(spec.address.port or SHARDS_PORT, spec.replicas) if host else range(0),
        _ports(spec.address.port, spec.replicas) if node and spec.address.port else range(0),
    )


def _ports(first: int, count: int) -> range:
    return range(first, first + count)


def _ranges_meet(one: range, two: range) -> bool:
    return bool(one and two and one.start < two.stop and two.start < one.stop)


def _nodes_meet(one: MinerPool, two: MinerPool) -> bool:
    """Whether the two could share a node: unless a label of their selectors differs."""
    mine = one.spec.scheduling.node_selector or {}
    theirs = two.spec.scheduling.node_selector or {}
    return all(theirs.get(key, value) == value for key, value in mine.items())
