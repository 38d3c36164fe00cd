"""A super node's key: in a Secret, made once before its network is founded, never replaced.

A network that is older than that has its key on its volume alone, which nobody but its own pod can
read: such a one gets no Secret, as another key would be worth nothing. Whoever copies the key out
makes the Secret by hand (docs/operations.md), and it is used from then on.
"""

import time
from typing import Final

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.existence import present
from cybervein_operator.control import identity_document
from cybervein_operator.desired import names, supernode
from cybervein_operator.observed.facts import ADDRESS
from cybervein_operator.reconcile.tools import Tools

_ASK_AGAIN_SECONDS: Final = {True: 600.0, False: 2.0}


class SuperNodeKeys:
    """Remembers which networks have their Secret, which is never read."""

    def __init__(self, tools: Tools) -> None:
        self._client = tools.client
        self._known: dict[str, tuple[bool, float]] = {}

    def guarded(self, network: Network) -> bool:
        """What was found last."""
        return self._known.get(network.metadata.uid, (False, 0.0))[0]

    async def ensure(self, network: Network) -> bool:
        """Whether the Secret is there, made now if the network is new."""
        uid = network.metadata.uid
        there, asked = self._known.get(uid, (False, float("-inf")))
        if time.monotonic() - asked < _ASK_AGAIN_SECONDS[there]:
            return there
        there = await self._exists(network) or await self._made(network)
        self._known[uid] = (there, time.monotonic())
        return there

    async def _exists(self, network: Network) -> bool:
        """Whether there is a Secret of that name; whose key is in it the pod itself looks at.

        Raises ApiError where nobody may say: a pod that waits for a Secret must not replace one
        that runs without.
        """
        return await present(self._client, supernode.identity(network, b"{}"))

    async def _made(self, network: Network) -> bool:
        if not await self._is_new(network):
            return False
        document, address = identity_document()
        secret = supernode.identity(network, document)
        secret["metadata"]["annotations"] = {ADDRESS: address}
        return await self._client.create(secret) is not None

    async def _is_new(self, network: Network) -> bool:
        """Nothing of it was ever made, and no key is to come from a backup."""
        node, name = network.spec.super_node, network.metadata.name
        if node is None or node.storage.size is None or network.spec.recovery is not None:
            return False
        if network.status.network is not None:
            return False
        traces = (
            (ClusterKind.CLAIM, names.super_node_claim(name)),
            (ClusterKind.CONFIG_MAP, names.network_file(name)),
            (ClusterKind.STATEFUL_SET, names.super_node(name)),
        )
        for kind, trace in traces:
            space = network.metadata.namespace
            if await self._client.get(kind, space, trace, metadata_only=True) is not None:
                return False
        return True
