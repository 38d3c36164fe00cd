"""Where miners run: what a person said, and how they keep apart."""

from cybervein_operator.api import AntiAffinity, MinerPool
from cybervein_operator.desired import names
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.pod import given, tolerations


def scheduling(pool: MinerPool) -> Object:
    """The fields of a pod's spec that the scheduler reads."""
    wish = pool.spec.scheduling
    return given(
        nodeSelector=wish.node_selector,
        tolerations=tolerations(wish.tolerations),
        priorityClassName=wish.priority_class_name,
        affinity=_apart(pool),
    )


def _apart(pool: MinerPool) -> Object:
    wish = pool.spec.scheduling
    term = {
        "labelSelector": {"matchLabels": names.selector(pool)},
        "topologyKey": wish.topology_key,
    }
    match wish.anti_affinity:
        case AntiAffinity.NONE:
            return {}
        case AntiAffinity.REQUIRED:
            return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        case AntiAffinity.PREFERRED:
            preferred = {"weight": 100, "podAffinityTerm": term}
            return {
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}
            }
