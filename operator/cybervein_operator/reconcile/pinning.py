"""`NET-network`: the network's file, written once and never replaced by another network's."""

import time

import msgspec
from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names, supernode
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.reconcile.pinned import Pinned, other_preset, parse
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

    async def pinned(
        self, network: Network, kept: Pinned | None, authority: str, *, write: bool
    ) -> Pinned | Trouble | None:
        """The pinned file, why it cannot be had, or None while the super node has not founded.

        `kept` is what `kept` said, `authority` (PEM) who signed the super node's certificate.
        """
        name = network.metadata.name
        source = await self._source(network, kept, authority)
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
        if kept is None and (other := other_preset(network, source)) is not None:
            return other
        if write:
            await self._tools.applier.ensure(supernode.config_map(network, source.document))
        return (await self.kept(network)) or source

    async def kept(self, network: Network) -> Pinned | Trouble | None:
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

    async def _source(
        self, network: Network, kept: Pinned | None, authority: str
    ) -> Pinned | Trouble | None:
        """Where the file comes from: the super node here, or the ConfigMap that is joined."""
        if network.spec.join is not None:
            return await self._joined(network, network.spec.join.config_map)
        if kept is not None:
            return kept
        known = self._known.get((network.metadata.namespace, network.metadata.name))
        if known is not None and known.cid == network.status.network:
            return known  # somebody deleted the ConfigMap: it is written again
        url = supernode.url(network)
        client = await self._nodes.client(network, url, authority)
        try:
            text = (await client.network_file()).decode(errors="replace")
        except CyberVeinError as error:
            return untrusted(network, str(error))
        read = parse(vouched(text, authority), f"{client.url}/v1/network.json", "")
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


def untrusted(network: Network, error: str) -> Trouble | None:
    """What to do where nobody here knows who signed a person's certificate; None: wait."""
    node = network.spec.super_node
    if node is None or node.tls is None or "certificate is not trusted" not in error:
        return None
    return Trouble(
        "CertificateNotTrusted",
        f"{error}; where a private authority signed Secret {node.tls.secret_name}, put its PEM "
        f"into a ConfigMap (key {names.AUTHORITY_KEY}) and name it in superNode.tls.caConfigMap",
    )


def vouched(document: str, authority: str) -> str:
    """The file with its authority, where the network was founded before the spec named one."""
    try:
        file = msgspec.json.decode(document, type=dict)
    except msgspec.DecodeError:
        return document
    if not authority or file.get("ca"):
        return document
    return msgspec.json.format(msgspec.json.encode(file | {"ca": authority}), indent=2).decode()
