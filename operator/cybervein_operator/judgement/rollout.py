"""Which miners may be stopped for an upgrade now.

A miner is stopped only while it owes nobody a proof: its proof of the running epoch is accepted.
At most `max_unavailable` of a pool are down at once, and never more than the network's redundancy
bears: files are stored k of n over the live failure domains with spare domains for repair, so what
may be down, over all pools, is one less than the spare domains (one where there is a single spare:
n - k losses are still borne). Where there is no redundancy yet, one at a time.
"""

from collections.abc import Iterable, Sequence

from cybervein_protocol.errors import ConflictError
from cybervein_protocol.placement import default_code

from cybervein_operator.judgement.miner import Facts


def borne(domains: int) -> int:
    """How many of that many live failure domains may be down at once for an upgrade."""
    try:
        code = default_code(domains)
    except ConflictError:
        return 1
    return max(1, domains - code.n - 1)


def may_stop(facts: Facts, epoch: int | None) -> bool:
    """Whether this miner owes no proof now.

    One that serves nothing can be replaced at once; so can one that proves nothing yet (nothing of
    it counts), and any, when there is no epoch to wait for.
    """
    if not facts.ready or epoch is None:
        return True
    report = facts.poll.report if facts.poll else None
    if report is None:
        return facts.poll is not None and facts.poll.failures > 0
    proved = facts.proved_epoch
    return proved is None or proved >= max(epoch, report.epoch)


def under_way(facts: Facts, epoch: int | None) -> bool:
    """Whether its upgrade is not over: ready again, and it has proved again or an epoch passed.

    Nor is it while the ledger has another URL: nobody gets a shard of it, ready or not.
    """
    if facts.astray:
        return True
    if not facts.granted:
        return False
    if facts.outdated or not facts.ready:
        return True
    if epoch is None or facts.granted_epoch is None or facts.proved_epoch is None:
        return False
    return max(epoch, facts.proved_epoch) <= facts.granted_epoch


def grants(
    miners: Sequence[Facts],
    *,
    max_unavailable: int,
    epoch: int | None,
    budget: int,
    in_window: bool = True,
) -> set[str]:
    """Names of miners whose template may be applied now, those already under way included.

    `budget` is how many of this pool the network bears to lose at once. Outside of a maintenance
    window only those begin whom a person restarts. A cordoned node would not take a new pod.
    """
    down = {each.name for each in miners if not each.leave and each.exists and not each.ready}
    outdated = [each for each in miners if each.outdated and not each.leave and not each.held]
    free = [each.name for each in outdated if each.name in down]
    shut = {each.name for each in outdated if each.ready and not (in_window or each.urgent)}
    busy = {each.name for each in miners if under_way(each, epoch) and not each.leave} - shut
    kept = {each.name for each in miners if each.held and each.outdated}
    room = min(max_unavailable, budget) - len(down | busy)
    waiting = (
        each for each in outdated if each.name not in down | busy | shut and not each.cordoned
    )
    return (set(free) | busy | _first(waiting, room, epoch)) - kept


def _first(waiting: Iterable[Facts], room: int, epoch: int | None) -> set[str]:
    chosen: set[str] = set()
    for each in sorted(waiting, key=lambda facts: facts.ordinal):
        if len(chosen) >= room:
            break
        if may_stop(each, epoch):
            chosen.add(each.name)
    return chosen
