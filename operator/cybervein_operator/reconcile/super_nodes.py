"""Clients of the networks' super nodes, and what they said last."""

from dataclasses import replace

import structlog
from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api import Network
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import NetworkFacts
from cybervein_operator.miners.super_node import TrustedSuperNode
from cybervein_operator.reconcile.pinned import Pinned
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Name, NetworkView

_log = structlog.get_logger()


class SuperNodes:
    """One client for each network, made again when URL or authority change."""

    def __init__(self, tools: Tools) -> None:
        self._template = tools.supernode_url
        self._clients: dict[Name, TrustedSuperNode] = {}

    async def close(self) -> None:
        """Close all."""
        for client in self._clients.values():
            await client.close()

    async def forget(self, name: Name) -> None:
        """A network is gone."""
        client = self._clients.pop(name, None)
        if client is not None:
            await client.close()

    async def client(self, network: Network, url: str, authority: str) -> TrustedSuperNode:
        """The client for a super node that others reach at `url`."""
        name = (network.metadata.namespace, network.metadata.name)
        where = self._where(network, url)
        known = self._clients.get(name)
        if known is None or (known.url, known.authority) != (where, authority):
            await self.forget(name)
            known = self._clients[name] = TrustedSuperNode(where, authority)
        return known

    def _where(self, network: Network, url: str) -> str:
        """By the template, where one is given; else inside, by the Service; else as published.

        Your own certificate holds the published name, and need not hold the Service's.
        """
        meta = network.metadata
        values = {"network": meta.name, "namespace": meta.namespace}
        if self._template:
            return self._template.format(**values).rstrip("/")
        node = network.spec.super_node
        if node is not None and node.tls is None:
            return f"https://{names.super_node(meta.name)}.{meta.namespace}.svc:7700"
        return url.rstrip("/")

    async def follow(
        self, network: Network, pinned: Pinned, before: NetworkView | None
    ) -> NetworkView:
        """The newest view; the listing of miners only once an epoch."""
        facts = NetworkFacts(
            network.metadata.name, pinned.url, names.network_file(network.metadata.name)
        )
        view = before or NetworkView(facts, pinned.cid, pinned.epoch_seconds)
        view = replace(view, facts=facts, cid=pinned.cid, epoch_seconds=pinned.epoch_seconds)
        client = await self.client(network, pinned.url, pinned.authority)
        try:
            head = await client.network()
            if head.network != pinned.cid:
                error = (
                    f"{client.url} runs network {head.network}, expected {pinned.cid}; give it "
                    "back its own volume, or restore its ledger (spec.recovery)"
                )
                return replace(view, error=error)
            fresh = head.epoch != view.epoch or not view.standings
            standings = await client.miners_by_address() if fresh else view.standings
            backup = await client.backup() if _keeps(network) else None
        except CyberVeinError as error:
            _log.info(
                "super node does not answer", network=network.metadata.name, error=str(error)[:200]
            )
            return replace(view, error=str(error))
        told = replace(view, epoch=head.epoch, height=head.height, standings=standings, error="")
        return replace(told, backup=backup)


def _keeps(network: Network) -> bool:
    node = network.spec.super_node
    return node is not None and (node.backup is not None or network.spec.recovery is not None)
