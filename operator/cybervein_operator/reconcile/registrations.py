"""What the ledger has of a pool's miners, by the miners' own word or the super node's listing.

A miner's word of the running epoch is the newer one, as the listing is read when an epoch begins.
One that said nothing since, or is of version 0.2.0, is found in the listing by its address. Nobody
is asked anything here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cybervein_operator.api import FailureDomain, MinerPool, PoolRegistration
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import MinerFacts
from cybervein_operator.desired.miner_pod import group
from cybervein_operator.judgement.registered import registration_of
from cybervein_operator.judgement.registration import Registration, url_on_node
from cybervein_operator.miners.report import Declared, Poll, declared
from cybervein_operator.observed.facts import ClaimFacts
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import NetworkView, World

_STATE: Final = names.state_claim("", 0).removeprefix(names.miner("", 0))


@dataclass(frozen=True, slots=True)
class LedgerWord:
    """Who may know what the ledger has of a miner; `address` is the one on its journal's claim."""

    poll: Poll | None
    view: NetworkView | None
    address: str

    @property
    def looked(self) -> bool:
        """Whether the ledger was asked at all."""
        return self.view is not None and self.view.epoch is not None

    @property
    def miner(self) -> str:
        """The miner's address, by its own word if it has said one."""
        return self.poll.report.address if self.poll and self.poll.report else self.address

    def entry(self) -> Declared | None:
        """What the ledger has."""
        report = self.poll.report if self.poll else None
        listed = self.view.standings.get(self.miner) if self.view else None
        if report is None or listed is None or self.view is None:
            return declared(listed) if listed else report.ledger if report else None
        newer = self.view.epoch is None or report.epoch >= self.view.epoch
        return report.ledger if report.ledger and newer else declared(listed)


def registration(
    pool: MinerPool, ordinal: int, facts: MinerFacts | None, word: LedgerWord, node: str
) -> Registration:
    """Wish and ledger of one miner; without `facts` its URL is not known yet."""
    has = word.entry()
    if facts is None:
        return Registration(ledger=has, looked=word.looked)
    by_node = pool.spec.group is None and pool.spec.failure_domain is not FailureDomain.MINER
    if has is not None and has.group == names.miner(pool.metadata.name, ordinal):
        by_node = False  # it was registered as a domain of its own
    said = word.poll.report.wish.url if word.poll and word.poll.report else ""
    wish = Declared(
        url=url_on_node(facts.url, said, has.url if has else ""),
        payout=pool.spec.payout or word.miner,
        group=(node or (has.group if has else "")) if by_node else group(pool, ordinal),
        owner=pool.spec.owner or facts.owner,
    )
    return Registration(wish, has, word.looked, by_node=by_node)


def pool_registration(tools: Tools, pool: MinerPool) -> PoolRegistration | None:
    """What cannot change any more of a pool; what was known stays while nobody looked."""
    space, world = pool.metadata.namespace, tools.world
    view = world.views.get((space, pool.spec.network_ref.name))
    if view is None or view.epoch is None:
        return pool.status.registered
    entries = {
        ordinal: entry
        for ordinal, address in _addresses(world, pool)
        if (entry := LedgerWord(_poll(world, pool, ordinal), view, address).entry()) is not None
    }
    return registration_of(
        pool, entries, lambda group: world.store.get(ClusterKind.NODE, "", group) is not None
    )


def _poll(world: World, pool: MinerPool, ordinal: int) -> Poll | None:
    return world.polls.get((pool.metadata.namespace, names.miner(pool.metadata.name, ordinal)))


def _addresses(world: World, pool: MinerPool) -> Iterator[tuple[int, str]]:
    """Every miner that ever was, by the claim of its journal."""
    space, name = pool.metadata.namespace, pool.metadata.name
    for claim, seen in world.store.of_pool(ClusterKind.CLAIM, space, name):
        if claim != f"{seen.miner}{_STATE}" or not isinstance(seen.facts, ClaimFacts):
            continue
        ordinal = names.ordinal_of(name, seen.miner)
        if ordinal is not None and seen.facts.address:
            yield ordinal, seen.facts.address
