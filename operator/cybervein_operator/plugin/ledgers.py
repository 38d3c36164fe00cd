"""What the ledgers say of our miners, asked through the API server or at the super node's URL.

A super node of this cluster is reached through the API server's proxy of its Service, with the
person's own rights; that of a joined network at its public URL.
"""

import asyncio
import ssl
import urllib.request

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.super_node.pages import PAGE_BYTES_MAX, MinerPages

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.plugin.answers import Ledger, Object
from cybervein_operator.plugin.api_server import ApiServer

TIMEOUT_SECONDS = 10
ANSWER_BYTES_MAX = PAGE_BYTES_MAX


class OwnAuthority(Document):
    """The one field of `network.json` that is needed here."""

    ca: str | None = None


async def ledger_of(api: ApiServer, network: Object) -> Ledger:
    """What a network's super node says, or why it does not."""
    name = network["metadata"]["name"]
    try:
        body = await _get(api, network, "/v1/network")
        head = decode_document(body, NetworkDocument, f"{name}/v1/network", ANSWER_BYTES_MAX)
        pages = MinerPages(name)
        while pages.path is not None:
            pages.take(await _get(api, network, pages.path))
    except (CyberVeinError, OSError, ValueError) as error:
        return Ledger(problem=f"its super node was not reached ({' '.join(str(error).split())})")
    return Ledger(
        epoch=head.epoch,
        standings=tuple(pages.miners),
        coin_decimals=head.preset.coin_decimals,
    )


async def _get(api: ApiServer, network: Object, path: str) -> bytes:
    meta = network["metadata"]
    if "superNode" in network["spec"]:
        service = f"https:{meta['name']}-supernode:7700"
        base = f"/api/v1/namespaces/{meta['namespace']}/services/{service}/proxy"
        return await api.raw(base + path)
    status = network.get("status", {})
    url = status.get("url") or ""
    if not url.startswith("https://"):
        raise ValueError("the Network's status has no https URL yet")
    trust = await _trust(api.within(meta["namespace"]), status.get("configMap") or "")
    return await asyncio.to_thread(_fetch, url + path, trust)


def _fetch(url: str, trust: ssl.SSLContext) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS, context=trust) as answer:  # noqa: S310 -- https, see _get
        body: bytes = answer.read(ANSWER_BYTES_MAX + 1)
    return body


async def _trust(api: ApiServer, config_map: str) -> ssl.SSLContext:
    """The system's authorities and the one in the network's file, if it has one."""
    context = ssl.create_default_context()
    found = await api.find(ClusterKind.CONFIG_MAP.resource, config_map) if config_map else None
    text = (found or {}).get("data", {}).get("network.json", "{}").encode()
    authority = decode_document(text, OwnAuthority, f"ConfigMap {config_map}", ANSWER_BYTES_MAX).ca
    if authority:
        context.load_verify_locations(cadata=authority)
    return context
