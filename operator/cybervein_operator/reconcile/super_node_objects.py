"""A super node's certificate, key, claims, Service and StatefulSet, each on its own."""

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import names, supernode, template
from cybervein_operator.desired.facts import SuperNodeFacts
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import SetFacts
from cybervein_operator.reconcile.certificates import Certificates
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.claims import ensure_claim, look_at
from cybervein_operator.reconcile.super_node_keys import SuperNodeKeys
from cybervein_operator.reconcile.tools import Tools


class SuperNodeObjects:
    """Keeps them as the spec says."""

    def __init__(self, tools: Tools, keys: SuperNodeKeys) -> None:
        self._tools, self._keys = tools, keys
        self._certificates = Certificates(tools)

    async def run(self, network: Network, pinned: str | None, children: Children) -> str | None:
        """All of them; a new network's claim not before its key is kept.

        `pinned` is the authority that the network's file names, None before there is a file. It
        returns the one that counts, None where that cannot be had.
        """
        authority = await self._authority(network, pinned, children)
        guarded = await self._guarded(network, children)
        if guarded is not None or network.status.network is not None:
            await self._run_claims(network, children)
        await children.ensure(supernode.service(network))
        wrong = supernode.wrong(network)
        if wrong:
            children.note(Trouble("InvalidSpec", wrong))
        known = authority if authority is not None else pinned
        if known is not None and guarded is not None and not wrong and not children.foreign_claim:
            facts = SuperNodeFacts(
                image=self._tools.image,
                version=self._tools.version,
                private_authority=bool(known),
                pull_secrets=self._tools.pull_secrets,
                identity=guarded,
            )
            wanted = supernode.statefulset(network, facts)
            if authority is not None or not self._replaces(network, wanted):
                await children.ensure(wanted)
        return authority

    def _replaces(self, network: Network, wanted: Object) -> bool:
        """Whether it would replace a pod: not by one whose certificate cannot be made."""
        space, name = network.metadata.namespace, names.super_node(network.metadata.name)
        live = self._tools.world.store.get(ClusterKind.STATEFUL_SET, space, name)
        now = live.facts.template if live and isinstance(live.facts, SetFacts) else ""
        return live is not None and now != template.of(wanted)

    async def _authority(
        self, network: Network, pinned: str | None, children: Children
    ) -> str | None:
        """Who signed its certificate; None where it cannot be had, which is noted."""
        try:
            found = await self._certificates.ensure(network, pinned or "")
        except ApiError as error:
            if not error.lasting:
                raise
            children.refused(ClusterKind.SECRET, names.TLS_SECRET, error)
            return None
        if isinstance(found, Trouble):
            children.note(found)
            return None
        return found

    async def _run_claims(self, network: Network, children: Children) -> None:
        pod = f"{names.super_node(network.metadata.name)}-0"
        for claim in supernode.claims(network):
            await ensure_claim(self._tools, children, claim, pod)
        node, space = network.spec.super_node, network.metadata.namespace
        if node is not None and node.storage.existing_claim is not None:
            look_at(self._tools, children, space, node.storage.existing_claim, pod)

    async def _guarded(self, network: Network, children: Children) -> bool | None:
        """Whether its key is in a Secret; None while nobody may say."""
        try:
            return await self._keys.ensure(network)
        except ApiError as error:
            if not error.lasting:
                raise
            secret = names.super_node_identity(network.metadata.name)
            children.refused(ClusterKind.SECRET, secret, error)
            return self._keys.guarded(network) or None
