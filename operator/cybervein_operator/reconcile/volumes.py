"""What a cluster gave: bound claims, storage classes, ports and addresses of Services."""

import time

from cybervein_operator.api import MinerPool
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.cluster.kinds import Kind
from cybervein_operator.cluster.store import Store
from cybervein_operator.cluster.views import ClaimFacts
from cybervein_operator.cluster.views import ServiceFacts as SeenService
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import ServiceFacts
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.reconcile.tools import Tools

_CLASS_SECONDS = 60.0


def service_facts(store: Store, namespace: str, name: str) -> ServiceFacts:
    """Node port and load balancer of a miner's Service."""
    live = store.get(Kind.SERVICE, namespace, name)
    if live is None or not isinstance(live.facts, SeenService):
        return ServiceFacts()
    return ServiceFacts(live.facts.node_port, live.facts.balancer)


async def claim_trouble(tools: Tools, pool: MinerPool, ordinal: int) -> Trouble | None:
    """A claim that no storage class can fill, or None. Asked for unbound claims only."""
    space, name = pool.metadata.namespace, pool.metadata.name
    wanted = [names.state_claim(name, ordinal)]
    wanted += [
        names.disk(name, ordinal, each.name) for each in pool.spec.disks if each.claim_template
    ]
    for each in wanted:
        live = tools.world.store.get(Kind.CLAIM, space, each)
        facts = live.facts if live else None
        if not isinstance(facts, ClaimFacts) or facts.phase == "Bound":
            continue
        if facts.phase == "Lost":
            return Trouble(
                "ClaimLost", f"claim {each} has lost its volume; restore it", blocks=False
            )
        if facts.storage_class and not await _exists(tools, facts.storage_class):
            return Trouble(
                "StorageClassMissing",
                f"claim {each} asks for storage class {facts.storage_class}, which does not exist; "
                "create it, or delete the claim and name another",
                blocks=False,
            )
    return None


async def _exists(tools: Tools, storage_class: str) -> bool:
    """Whether the class exists, asked once a minute; where we may not look, it is taken to."""
    if time.monotonic() - tools.classes.get(storage_class, -_CLASS_SECONDS) < _CLASS_SECONDS:
        return True
    try:
        found = await tools.client.get(Kind.STORAGE_CLASS, None, storage_class) is not None
    except ApiError as error:
        if not error.forbidden:
            raise
        found = True
    if found:
        tools.classes[storage_class] = time.monotonic()
    return found
