"""What a cluster gave: bound claims, storage classes, ports and addresses of Services."""

from datetime import UTC, datetime, timedelta
from typing import Final

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import MinerServiceFacts
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import ClaimFacts, PodFacts
from cybervein_operator.observed.facts import ServiceFacts as SeenService
from cybervein_operator.observed.store import FactStore
from cybervein_operator.reconcile.classes import storage_class
from cybervein_operator.reconcile.tools import Tools

_BINDING: Final = timedelta(seconds=60)


def service_facts(store: FactStore, namespace: str, name: str) -> MinerServiceFacts:
    """Node port and load balancer of a miner's Service."""
    live = store.get(ClusterKind.SERVICE, namespace, name)
    if live is None or not isinstance(live.facts, SeenService):
        return MinerServiceFacts()
    return MinerServiceFacts(live.facts.node_port, live.facts.balancer)


async def claim_trouble(tools: Tools, pool: MinerPool, ordinal: int) -> Trouble | None:
    """A claim that no storage class can fill, or None. Asked for unbound claims only."""
    for each in names.claims(pool, ordinal):
        live = tools.world.store.get(ClusterKind.CLAIM, pool.metadata.namespace, each)
        facts = live.facts if live else None
        if not isinstance(facts, ClaimFacts) or facts.phase == "Bound":
            continue
        if facts.phase == "Lost":
            return Trouble(
                "ClaimLost", f"claim {each} has lost its volume; restore it", blocks=False
            )
        wanted = facts.storage_class
        if wanted and not (await storage_class(tools, wanted)).exists:
            return Trouble(
                "StorageClassMissing",
                f"claim {each} asks for storage class {facts.storage_class}, which does not exist; "
                "create it, or delete the claim and name another",
                blocks=False,
            )
    return None


def binding(pod: PodFacts | None) -> bool:
    """Whether no node takes the pod because of its volumes, for a minute at the most.

    A provisioner takes its time; so do the binding and the scheduler's next try. Where something
    else than volumes is amiss, the scheduler's words name none.
    """
    if pod is None or pod.unscheduled is None or "volume" not in pod.message.lower():
        return False
    return datetime.now(UTC) - pod.unscheduled < _BINDING
