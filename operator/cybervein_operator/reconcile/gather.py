"""The facts of a pool's miners, from everything that was observed."""

from collections.abc import Iterator
from dataclasses import replace

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names, template
from cybervein_operator.desired.facts import MinerFacts
from cybervein_operator.judgement.miner import Facts, MinerVerdict
from cybervein_operator.judgement.pool import why_leave
from cybervein_operator.observed.facts import ClaimFacts, NodeFacts, PodFacts, Seen, SetFacts
from cybervein_operator.reconcile.left_behind import unknown
from cybervein_operator.reconcile.miner_facts import miner_facts, restart_wish, settled, wanted_set
from cybervein_operator.reconcile.registrations import LedgerWord, registration
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.reconcile.volumes import binding
from cybervein_operator.world import Name, NetworkView, miner_key


class Gatherer:
    """Remembers the hash of each miner's wanted template, as making a manifest is the dear part."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._world = tools, tools.world
        self._wishes: dict[Name, tuple[object, str]] = {}

    def gather(self, pool: MinerPool) -> list[Facts]:
        """Every miner that is wanted or still there, by ordinal."""
        view = self._world.views.get((pool.metadata.namespace, pool.spec.network_ref.name))
        return [self._facts(pool, each, view) for each in sorted(self._ordinals(pool))]

    def forget(self, name: Name) -> None:
        """A miner is gone."""
        self._wishes.pop(name, None)

    def _ordinals(self, pool: MinerPool) -> set[int]:
        return set(range(pool.spec.replicas)) | set(self._existing(pool))

    def _existing(self, pool: MinerPool) -> Iterator[int]:
        space, name = pool.metadata.namespace, pool.metadata.name
        for each, _ in self._world.store.of_pool(ClusterKind.STATEFUL_SET, space, name):
            ordinal = names.ordinal_of(name, each)
            if ordinal is not None:
                yield ordinal

    def _facts(self, pool: MinerPool, ordinal: int, view: NetworkView | None) -> Facts:
        store, space = self._world.store, pool.metadata.namespace
        name = names.miner(pool.metadata.name, ordinal)
        owner = (space, name)
        live = store.get(ClusterKind.STATEFUL_SET, space, name)
        exists = live is not None and not live.deleting
        own = live.facts if live and isinstance(live.facts, SetFacts) else None
        pod_seen = store.get(ClusterKind.POD, space, names.pod(pool.metadata.name, ordinal))
        pod = pod_seen.facts if pod_seen and isinstance(pod_seen.facts, PodFacts) else None
        if pod_seen is not None and pod_seen.deleting:
            pod = None
        poll = self._world.polls.get(owner) if exists else None
        node = pod.node if pod else ""
        home = self._world.home_of(owner, node)
        wanted = miner_facts(self._tools, pool, ordinal)
        claim = store.get(ClusterKind.CLAIM, space, names.state_claim(pool.metadata.name, ordinal))
        kept = claim.facts if claim and isinstance(claim.facts, ClaimFacts) else None
        word = LedgerWord(poll, view, kept.address if kept else "")
        found = Facts(
            name,
            ordinal,
            why_leave(pool, ordinal, self._node(node or (kept.node if kept else "")).drain),
            exists,
            template=own.template if own else "",
            wish=self._wish(pool, ordinal, owner, wanted),
            settled=settled(own, pod),
            pod=pod,
            poll=poll,
            trouble=self._world.troubles.get(owner),
            node=node,
            granted=owner in self._world.granted,
            granted_epoch=self._world.granted.get(owner),
            proved=_proved(view, poll.report.address if poll and poll.report else ""),
            binding=binding(pod),
            urgent=own is not None and own.restart != restart_wish(self._tools, pool, name),
            home=home,
            cordoned=self._node(home).cordoned,
            away=self._away(pod_seen),
            unknown=unknown(self._world, pool, ordinal, poll.report if poll else None),
            registration=registration(pool, ordinal, wanted, word, node),
        )
        return replace(found, said=self._said(found, owner, pool))

    def _said(self, found: Facts, owner: Name, pool: MinerPool) -> MinerVerdict | None:
        """What was said before the start: until the miner was looked at, and heard."""
        key = miner_key(owner[0], pool.metadata.name, found.ordinal)
        if found.heard and key in self._world.looked:
            self._world.said.pop(owner, None)
        return self._world.said.get(owner)

    def _away(self, pod: Seen | None) -> str:
        """In whose words the node of that pod is away, "" while it is there."""
        node = pod.facts.node if pod and isinstance(pod.facts, PodFacts) else ""
        trouble = self._node(node).trouble
        return f"node {node}: {trouble}" if trouble else ""

    def _node(self, name: str) -> NodeFacts:
        """What is known of a node; of one that is not known, nothing is amiss."""
        seen = self._world.store.get(ClusterKind.NODE, "", name) if name else None
        return seen.facts if seen and isinstance(seen.facts, NodeFacts) else NodeFacts("")

    def _wish(self, pool: MinerPool, ordinal: int, owner: Name, facts: MinerFacts | None) -> str:
        if facts is None:
            return ""
        of = (pool.metadata.uid, pool.metadata.generation, facts)
        known = self._wishes.get(owner)
        if known is not None and known[0] == of:
            return known[1]
        wanted = wanted_set(self._tools, pool, ordinal)
        wish = template.of(wanted) if wanted else ""
        self._wishes[owner] = (of, wish)
        return wish


def _proved(view: NetworkView | None, address: str) -> int | None:
    standing = view.standings.get(address) if view and address else None
    return standing.last_proof_epoch if standing else None
