"""How many miners of a pool an eviction may stop now.

Usually `rollout.maxUnavailable`. A cordoned node is a node that somebody is about to work on: its
miners stop together, whatever the budget says, and those whose volumes lie there cannot come back
before the work is done. A budget below their number would never let them go. So all of them may be
evicted, as long as nobody else of the pool is down and the network bears the loss of their failure
domains; by default the miners of a node are one domain, which it always bears (ADR 84).
"""

from collections.abc import Sequence

from cybervein_operator.api import FailureDomain, MinerPool
from cybervein_operator.judgement.miner import Facts


def evictable(pool: MinerPool, miners: Sequence[Facts], domains_borne: int) -> int:
    """How many may be down at once; `domains_borne` is how many failure domains may be."""
    usual = pool.spec.rollout.max_unavailable
    wanted = [each for each in miners if each.exists and not each.leave]
    if any(not each.ready and not each.cordoned for each in wanted):
        return usual
    covered, lost = 0, set[str]()
    for node in _nodes([each for each in wanted if each.cordoned]):
        more = lost | {_domain(pool, each) for each in node}
        if len(more) <= domains_borne:
            covered, lost = covered + len(node), more
    return max(usual, covered)


def _nodes(cordoned: Sequence[Facts]) -> list[list[Facts]]:
    """Miners by node: first those nodes whose emptying has begun, so that one is finished."""
    by_home: dict[str, list[Facts]] = {}
    for each in cordoned:
        by_home.setdefault(each.home, []).append(each)
    return sorted(
        by_home.values(), key=lambda node: (all(each.ready for each in node), node[0].home)
    )


def _domain(pool: MinerPool, facts: Facts) -> str:
    if pool.spec.group is not None:
        return pool.spec.group
    return facts.name if pool.spec.failure_domain is FailureDomain.MINER else facts.home
