"""The network's CA and its super node's certificate: made once, renewed in time.

A network's file names its authority, and copies of it are with customers: so whatever is pinned
there stays the authority, and one whose key is lost is told, never replaced.
"""

import time
from datetime import UTC, datetime
from typing import Final

import structlog

from cybervein_operator.api import Network
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.authority import Pair, make_authority, make_server, stale
from cybervein_operator.desired import names, supernode
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.reconcile import keyring
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Name

_log = structlog.get_logger()
_CHECK_SECONDS: Final = 3600.0


class Certificates:
    """Looks at the Secret once an hour, and whenever the names change."""

    def __init__(self, tools: Tools) -> None:
        self._client = tools.client
        self._good: dict[Name, tuple[tuple[str, ...], float, str]] = {}

    async def ensure(self, network: Network, pinned: str) -> str | Trouble:
        """The authority (PEM) of the super node's certificate; "" where a public one signed it.

        `pinned` is the one that the network's file names already.
        """
        node = network.spec.super_node
        if node is not None and node.tls is not None:
            return pinned or await self._named(network, node.tls.ca_config_map)
        name, hosts = _name(network), supernode.hosts(network)
        known = self._good.get(name)
        fits = known is not None and known[0] == tuple(hosts) and _same(known[2], pinned)
        if known and fits and time.monotonic() - known[1] < _CHECK_SECONDS:
            return known[2]
        held = await keyring.held(self._client, *name)
        authority = await self._authority(name, held, pinned)
        if isinstance(authority, Trouble):
            return authority
        await self._server(name, held, authority, hosts)
        pem = authority.certificate.decode()
        self._good[name] = (tuple(hosts), time.monotonic(), pem)
        return pem

    async def _named(self, network: Network, config_map: str | None) -> str | Trouble:
        if config_map is None:
            return ""
        space = network.metadata.namespace
        found = await self._client.get(ClusterKind.CONFIG_MAP, space, config_map)
        text = ((found or {}).get("data") or {}).get(names.AUTHORITY_KEY, "")
        if text:
            return str(text)
        return Trouble(
            "AuthorityMissing",
            f"ConfigMap {config_map} does not exist, or has no key {names.AUTHORITY_KEY}; put the "
            "authority (PEM) of superNode.tls.secretName into it",
        )

    async def _authority(self, name: Name, held: dict[str, bytes], pinned: str) -> Pair | Trouble:
        """The one that is held, the one of 0.2.0, or a new one while no file names any."""
        own = _pair(held.get("ca.crt", b""), held.get("ca.key", b""), pinned)
        if own is not None:
            return own
        made: Pair | None = None
        if pinned:
            early = await keyring.early_authority(self._client, *name)
            made = _pair(*early, pinned)
        if made is None and pinned:
            return _lost(name[1])
        made = made or make_authority(name[1], datetime.now(UTC))
        await keyring.keep(self._client, *name, {"ca.crt": made.certificate, "ca.key": made.key})
        _log.info("keeps a certificate authority", secret=names.TLS_SECRET, network=name[1])
        return made

    async def _server(
        self, name: Name, held: dict[str, bytes], authority: Pair, hosts: list[str]
    ) -> None:
        now, certificate = datetime.now(UTC), held.get("tls.crt", b"")
        why = stale(certificate, authority.certificate, hosts, now) if certificate else "none yet"
        if not why:
            return
        made = make_server(authority, hosts, now)
        _log.info("made a certificate", secret=names.TLS_SECRET, network=name[1], because=why)
        await keyring.keep(self._client, *name, {"tls.crt": made.certificate, "tls.key": made.key})


def _name(network: Network) -> Name:
    return network.metadata.namespace, network.metadata.name


def _pair(certificate: bytes, key: bytes, pinned: str) -> Pair | None:
    """Both halves of an authority, if it is the pinned one or none is pinned."""
    fits = certificate and key and _same(certificate.decode(errors="replace"), pinned)
    return Pair(certificate, key) if fits else None


def _same(authority: str, pinned: str) -> bool:
    return not pinned or authority.strip() == pinned.strip()


def _lost(network: str) -> Trouble:
    return Trouble(
        "AuthorityLost",
        f"Secret {names.TLS_SECRET} lacks the key of the authority that ConfigMap "
        f"{names.network_file(network)} names; restore {names.tls_key(network, 'ca.key')} in it "
        f"from a backup, or, where Secret {names.early_authority(network)} of release 0.2 has it, "
        f"let the operator read that one: chart value rbac.adoptNetworks={{{network}}}",
    )
