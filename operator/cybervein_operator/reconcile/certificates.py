"""The network's CA and its super node's certificate, in Secrets: made once, renewed in time."""

import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.authority import Pair, make_authority, make_server, stale
from cybervein_operator.cluster.client import Object
from cybervein_operator.desired import names, supernode
from cybervein_operator.reconcile.tools import Tools

if TYPE_CHECKING:
    from cybervein_operator.world import Name

_log = structlog.get_logger()
_CHECK_SECONDS: Final = 3600.0
_TLS: Final = "kubernetes.io/tls"


class Certificates:
    """Looks at the Secrets once an hour, and whenever the names change."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._good: dict[Name, tuple[tuple[str, ...], float, str]] = {}

    async def ensure(self, network: Network) -> str:
        """The authority (PEM) of the super node's certificate; "" where you gave your own."""
        space, name = network.metadata.namespace, network.metadata.name
        node = network.spec.super_node
        if node is not None and node.tls is not None:
            return await self._own(space, node.tls.secret_name)
        hosts = supernode.hosts(network)
        known = self._good.get((space, name))
        if known and known[0] == tuple(hosts) and time.monotonic() - known[1] < _CHECK_SECONDS:
            return known[2]
        authority = await self._authority(network)
        await self._server(network, authority, hosts)
        pem = authority.certificate.decode()
        self._good[space, name] = (tuple(hosts), time.monotonic(), pem)
        return pem

    async def _own(self, namespace: str, secret: str) -> str:
        found = await self._tools.client.get(ClusterKind.SECRET, namespace, secret)
        return _field(found, "ca.crt").decode(errors="replace")

    async def _authority(self, network: Network) -> Pair:
        space, secret = network.metadata.namespace, names.authority(network.metadata.name)
        found = await self._tools.client.get(ClusterKind.SECRET, space, secret)
        if found is None:
            made = make_authority(network.metadata.name, datetime.now(UTC))
            data = {"ca.crt": made.certificate, "ca.key": made.key}
            if await self._tools.client.create(supernode.secret(network, secret, data)) is not None:
                _log.info("made a certificate authority", secret=secret)
                return made
            found = await self._tools.client.get(ClusterKind.SECRET, space, secret)
        return Pair(_field(found, "ca.crt"), _field(found, "ca.key"))

    async def _server(self, network: Network, authority: Pair, hosts: list[str]) -> None:
        space, secret = network.metadata.namespace, names.super_node_tls(network)
        found = await self._tools.client.get(ClusterKind.SECRET, space, secret)
        now = datetime.now(UTC)
        why = stale(_field(found, "tls.crt"), authority.certificate, hosts, now) if found else ""
        if found is not None and not why:
            return
        made = make_server(authority, hosts, now)
        data = {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": authority.certificate}
        manifest = supernode.secret(network, secret, data, _TLS)
        if found is None:
            await self._tools.client.create(manifest)
            return
        _log.info("renewed a certificate", secret=secret, because=why)
        await self._tools.client.merge(
            ClusterKind.SECRET,
            space,
            secret,
            {"data": {key: b64encode(value).decode() for key, value in data.items()}},
        )


def _field(secret: Object | None, key: str) -> bytes:
    return b64decode(((secret or {}).get("data") or {}).get(key, ""))
