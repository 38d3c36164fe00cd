"""What to do with each miner of a pool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cybervein_operator.api import MinerPool
from cybervein_operator.desired import names
from cybervein_operator.judgement.miner import Facts, MinerVerdict, judge
from cybervein_operator.judgement.rollout import grants


class Task(Enum):
    """What one miner needs."""

    RUN = "run"
    """Its objects exist and are as the spec says; it is told not to drain."""
    DRAIN = "drain"
    """It is told to drain, and kept as it is."""
    STOP = "stop"
    """It is drained: StatefulSet and Service go, the rest stays."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class MinerOrder:
    """A miner's task. `update`: the template of the spec may be applied now."""

    task: Task
    update: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders and verdicts by miner."""

    orders: Mapping[str, MinerOrder]
    verdicts: Mapping[str, MinerVerdict]
    granted: frozenset[str]


def why_leave(pool: MinerPool, ordinal: int, node_drain: str = "") -> str:
    """Why that miner shall go, or ""."""
    name = names.miner(pool.metadata.name, ordinal)
    if ordinal >= pool.spec.replicas:
        return f"the pool is scaled to {pool.spec.replicas}"
    if name in pool.spec.drain:
        return "spec.drain names it"
    return f"its node is drained ({node_drain})" if node_drain else ""


def order(facts: Facts, *, update: bool) -> MinerOrder:
    """One miner's order."""
    if not facts.leave:
        return MinerOrder(Task.RUN, update=update or not facts.exists)
    if not facts.exists:
        return MinerOrder(Task.NOTHING)
    return MinerOrder(Task.STOP if facts.drained else Task.DRAIN)


def plan(
    pool: MinerPool,
    miners: Sequence[Facts],
    *,
    epoch: int | None,
    budget: int,
    in_window: bool = True,
) -> Plan:
    """Orders for every miner that is wanted or still there."""
    granted = grants(
        miners,
        max_unavailable=pool.spec.rollout.max_unavailable,
        epoch=epoch,
        budget=budget,
        in_window=in_window,
    )
    return Plan(
        {each.name: order(each, update=each.name in granted) for each in miners},
        {each.name: judge(each) for each in miners},
        frozenset(granted),
    )
