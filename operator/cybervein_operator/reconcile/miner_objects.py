"""The objects of one miner: identity, claims, Service, disks, StatefulSet, each on its own."""

import time

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import miner, names, template
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import ADDRESS, OWNER, ClaimFacts, PodFacts, SetFacts
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.claims import ensure_claim, look_at
from cybervein_operator.reconcile.identity import UNKNOWN, ensure_identity
from cybervein_operator.reconcile.miner_facts import wanted_set
from cybervein_operator.reconcile.owners import owner_of
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.reconcile.volumes import claim_trouble
from cybervein_operator.world import Key, Name

_IDENTITY_SECONDS = 120.0


class MinerObjects:
    """Keeps them as the spec says."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._world = tools, tools.world
        self._addresses: dict[Name, tuple[str, float]] = {}

    async def run(self, pool: MinerPool, key: Key, children: Children, *, update: bool) -> None:
        """Every object of it, each on its own; none where its identity is lost."""
        try:
            address = await self._identity(pool, key)
        except ApiError as error:
            if not error.lasting:
                raise
            children.refused(
                ClusterKind.SECRET, names.identity(pool.metadata.name, key.ordinal), error
            )
        else:
            if isinstance(address, Trouble):
                children.note(address)
                return
            await self._run_claims(pool, key, children, address)
        await children.ensure(miner.service(pool, key.ordinal))
        for disk in miner.disks(pool, key.ordinal):
            await children.ensure(disk)
        await self._run_set(pool, key, children, update=update)
        children.note(await claim_trouble(self._tools, pool, key.ordinal))

    async def _run_claims(
        self, pool: MinerPool, key: Key, children: Children, address: str
    ) -> None:
        """Without the address they stay as they are: it tells a lost key from a new miner."""
        pod = names.pod(pool.metadata.name, key.ordinal)
        owner = owner_of(self._tools, pool, key.ordinal)
        for claim in miner.claims(pool, key.ordinal):
            claim["metadata"]["annotations"] = {ADDRESS: address, OWNER: owner}
            await ensure_claim(self._tools, children, claim, pod)
        for existing in names.existing_claims(pool, key.ordinal):
            look_at(self._tools, children, key.namespace, existing, pod)

    async def _run_set(
        self, pool: MinerPool, key: Key, children: Children, *, update: bool
    ) -> None:
        """Its StatefulSet, unless a claim of its name is somebody else's."""
        wanted = wanted_set(self._tools, pool, key.ordinal)
        if wanted is None:
            words = "its Service has no address for others yet"
            children.note(Trouble("NoAddress", words, blocks=False))
        elif not children.foreign_claim:
            await self._ensure_set(key, wanted, children, update=update)

    def address(self, name: Name) -> str:
        """The miner's address, as far as it is known; "" before it has one."""
        return self._told(name, self._addresses.get(name, ("", 0.0))[0])

    async def _identity(self, pool: MinerPool, key: Key) -> str | Trouble:
        """Looked at before a StatefulSet is made, and now and then while its pod does not run."""
        name = (key.namespace, key.name)
        pod = self._tools.world.store.get(
            ClusterKind.POD, key.namespace, names.pod(pool.metadata.name, key.ordinal)
        )
        known, at = self._addresses.get(name, ("", 0.0))
        runs = pod is not None and isinstance(pod.facts, PodFacts) and pod.facts.running
        now = time.monotonic()
        exists = (
            self._world.store.get(ClusterKind.STATEFUL_SET, key.namespace, key.name) is not None
        )
        if known and exists and (runs or now - at < _IDENTITY_SECONDS):
            return self._told(name, known)
        state = names.state_claim(pool.metadata.name, key.ordinal)
        claim = self._tools.world.store.get(ClusterKind.CLAIM, key.namespace, state)
        before = claim.facts.address if claim and isinstance(claim.facts, ClaimFacts) else ""
        found = await ensure_identity(self._tools.client, pool, key.ordinal, before)
        if isinstance(found, Trouble):
            return found
        self._addresses[name] = (found, now)
        return self._told(name, found)

    def _told(self, name: Name, known: str) -> str:
        """The address; that of a Secret which was there before is the miner's to tell."""
        poll = self._world.polls.get(name)
        if known != UNKNOWN or poll is None or poll.report is None:
            return known
        return poll.report.address

    async def _ensure_set(
        self, key: Key, wanted: Object, children: Children, *, update: bool
    ) -> None:
        """Another template waits for its turn: it would replace the pod at once."""
        live = self._world.store.get(ClusterKind.STATEFUL_SET, key.namespace, key.name)
        now = live.facts.template if live and isinstance(live.facts, SetFacts) else ""
        if live is None or update or now == template.of(wanted):
            await children.ensure(wanted)
