"""What a miner's pod depends on now, and the StatefulSet that follows from it."""

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import Object
from cybervein_operator.desired import miner, names
from cybervein_operator.desired.facts import MinerFacts
from cybervein_operator.observed.facts import PodFacts, SetFacts
from cybervein_operator.reconcile.disks import leaving_volumes
from cybervein_operator.reconcile.owners import owner_of
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.reconcile.volumes import service_facts


def wanted_set(tools: Tools, pool: MinerPool, ordinal: int) -> Object | None:
    """The StatefulSet that the spec asks for now; None while its URL is not known."""
    facts = miner_facts(tools, pool, ordinal)
    return None if facts is None else miner.statefulset(pool, ordinal, facts)


def miner_facts(tools: Tools, pool: MinerPool, ordinal: int) -> MinerFacts | None:
    """What a miner's pod depends on; None while its network or URL is not known."""
    space = pool.metadata.namespace
    view = tools.world.views.get((space, pool.spec.network_ref.name))
    name = names.miner(pool.metadata.name, ordinal)
    url = miner.url(pool, ordinal, service_facts(tools.world.store, space, name))
    if view is None or url is None:
        return None
    return MinerFacts(
        network=view.facts,
        image=tools.image,
        control=tools.control,
        url=url,
        version=tools.version,
        leaving=leaving_volumes(tools.world, pool, ordinal),
        pull_secrets=tools.pull_secrets,
        restart=restart_wish(tools, pool, name),
        owner=owner_of(tools, pool, ordinal),
    )


def restart_wish(tools: Tools, pool: MinerPool, name: str) -> str:
    """The restart that a person asked for last; an annotation that is taken away asks for none."""
    asked = names.restart_of(pool.metadata.annotations, name)
    live = tools.world.store.get(ClusterKind.STATEFUL_SET, pool.metadata.namespace, name)
    return asked or (live.facts.restart if live and isinstance(live.facts, SetFacts) else "")


def settled(own: SetFacts | None, pod: PodFacts | None) -> bool:
    """The pod is of the newest revision that the controller knows of."""
    if own is None or pod is None:
        return False
    return own.settled and (not own.revision or own.revision == pod.revision)
