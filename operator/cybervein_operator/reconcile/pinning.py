"""`NET-network`: the network's file, written once and never replaced by another network's."""

import time
from base64 import b64decode

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names, supernode
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.reconcile.pinned import Pinned, parse
from cybervein_operator.reconcile.super_nodes import SuperNodes
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Name

_JOINED_SECONDS = 30.0


class Pinning:
    """Reads the pinned file, and writes it the first time."""

    def __init__(self, tools: Tools, nodes: SuperNodes) -> None:
        self._tools, self._nodes = tools, nodes
        self._known: dict[Name, Pinned] = {}
        self._joined_at: dict[Name, tuple[Pinned, float]] = {}

    def known(self, name: Name) -> Pinned | None:
        """What was read last."""
        return self._known.get(name)

    async def pinned(self, network: Network, *, write: bool) -> Pinned | Trouble | None:
        """The pinned file, why it cannot be had, or None while the super node has not founded."""
        name = network.metadata.name
        kept = await self._kept(network)
        if isinstance(kept, Trouble):
            return kept
        source = await self._source(network, kept)
        if isinstance(source, Trouble):
            return source
        if source is None:
            return kept
        if kept is not None and kept.cid != source.cid:
            return Trouble(
                "NetworkChanged",
                f"it was {kept.cid} and is now {source.cid}; miners keep the first: undo the "
                f"change, or delete ConfigMap {names.network_file(name)} to change networks",
            )
        if kept is not None and kept.document == source.document:
            return kept
        if write:
            await self._tools.applier.ensure(supernode.config_map(network, source.document))
        return (await self._kept(network)) or source

    async def _kept(self, network: Network) -> Pinned | Trouble | None:
        """What NET-network says; read again only where it changed."""
        space, name = network.metadata.namespace, names.network_file(network.metadata.name)
        live = self._tools.world.store.get(ClusterKind.CONFIG_MAP, space, name)
        known = self._known.get((space, network.metadata.name))
        if live is not None and known is not None and known.mark == live.fingerprint:
            return known
        found = await self._tools.client.get(ClusterKind.CONFIG_MAP, space, name)
        if found is None:
            return None
        text = (found.get("data") or {}).get(names.NETWORK_KEY, "")
        read = parse(text, f"ConfigMap {name}", live.fingerprint if live else "")
        if isinstance(read, Pinned):
            self._known[space, network.metadata.name] = read
        return read

    async def _source(self, network: Network, kept: Pinned | None) -> Pinned | Trouble | None:
        """Where the file comes from: the super node here, or the ConfigMap that is joined."""
        if network.spec.join is not None:
            return await self._joined(network, network.spec.join.config_map)
        if kept is not None:
            return kept
        known = self._known.get((network.metadata.namespace, network.metadata.name))
        if known is not None and known.cid == network.status.network:
            return known  # somebody deleted the ConfigMap: it is written again
        url = supernode.url(network)
        authority = await self._authority(network)
        client = await self._nodes.client(network, url, authority)
        try:
            text = (await client.network_file()).decode(errors="replace")
        except CyberVeinError:
            return None
        read = parse(text, f"{client.url}/v1/network.json", "")
        return read if isinstance(read, Trouble) else _another(network, read) or read

    async def _joined(self, network: Network, name: str) -> Pinned | Trouble | None:
        owner = (network.metadata.namespace, network.metadata.name)
        last = self._joined_at.get(owner)
        if last is not None and time.monotonic() - last[1] < _JOINED_SECONDS:
            return last[0]
        read = await self._read_joined(network.metadata.namespace, name)
        if isinstance(read, Pinned):
            self._joined_at[owner] = (read, time.monotonic())
        return read

    async def _read_joined(self, namespace: str, name: str) -> Pinned | Trouble:
        found = await self._tools.client.get(ClusterKind.CONFIG_MAP, namespace, name)
        if found is None:
            return Trouble(
                "NetworkFileMissing",
                f"ConfigMap {name} does not exist; create it with key {names.NETWORK_KEY}",
            )
        text = (found.get("data") or {}).get(names.NETWORK_KEY)
        if not text:
            return Trouble("NetworkFileMissing", f"ConfigMap {name} has no key {names.NETWORK_KEY}")
        return parse(text, f"ConfigMap {name}", "")

    async def _authority(self, network: Network) -> str:
        """The network's own CA, public part; "" where you gave your own certificate."""
        secret = names.super_node_tls(network)
        found = await self._tools.client.get(ClusterKind.SECRET, network.metadata.namespace, secret)
        raw = ((found or {}).get("data") or {}).get("ca.crt", "")
        return b64decode(raw).decode(errors="replace")


def _another(network: Network, source: Pinned) -> Trouble | None:
    """A super node here that runs another network than the one it founded: its file is gone too."""
    first = network.status.network
    if network.spec.super_node is None or first is None or first == source.cid:
        return None
    return Trouble(
        "NetworkChanged",
        f"it was {first} and the super node runs {source.cid}; nothing was changed: give it back "
        "its own volume, or restore its ledger (spec.recovery)",
    )
