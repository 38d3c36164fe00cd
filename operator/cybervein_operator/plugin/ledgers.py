"""What the ledgers say of our miners, asked through the API server or at the super node's URL.

A super node of this cluster is reached through the API server's proxy of its Service, with the
person's own rights; that of a joined network at its public URL.
"""

import json
import ssl
import urllib.request
from collections.abc import Iterable

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.super_node.pages import PAGE_BYTES_MAX, MinerPages

from cybervein_operator.plugin.answers import Ledger, Object
from cybervein_operator.plugin.kubectl import Kubectl

TIMEOUT_SECONDS = 10
ANSWER_BYTES_MAX = PAGE_BYTES_MAX


def ask(kubectl: Kubectl, networks: Iterable[Object]) -> dict[str, Ledger]:
    """Each network's ledger by NAMESPACE/NAME."""
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": _ledger(kubectl, each)
        for each in networks
    }


def _ledger(kubectl: Kubectl, network: Object) -> Ledger:
    name = network["metadata"]["name"]
    try:
        body = _get(kubectl, network, "/v1/network")
        head = decode_document(body, NetworkDocument, f"{name}/v1/network", ANSWER_BYTES_MAX)
        pages = MinerPages(name)
        while pages.path is not None:
            pages.take(_get(kubectl, network, pages.path))
    except (CyberVeinError, OSError, ValueError) as error:
        return Ledger(problem=f"its super node was not reached ({' '.join(str(error).split())})")
    return Ledger(
        epoch=head.epoch,
        standings=tuple(pages.miners),
        coin_decimals=head.preset.coin_decimals,
    )


def _get(kubectl: Kubectl, network: Object, path: str) -> bytes:
    meta = network["metadata"]
    if "superNode" in network["spec"]:
        service = f"https:{meta['name']}-supernode:7700"
        base = f"/api/v1/namespaces/{meta['namespace']}/services/{service}/proxy"
        return kubectl.raw(base + path).encode()
    status = network.get("status", {})
    url = status.get("url") or ""
    if not url.startswith("https://"):
        raise ValueError("the Network's status has no https URL yet")
    request = urllib.request.Request(url + path)  # noqa: S310 -- https, see above
    context = _trust(Kubectl(meta["namespace"], kubectl.context), status.get("configMap") or "")
    with urllib.request.urlopen(  # noqa: S310
        request, timeout=TIMEOUT_SECONDS, context=context
    ) as answer:
        body: bytes = answer.read(ANSWER_BYTES_MAX + 1)
    return body


def _trust(kubectl: Kubectl, config_map: str) -> ssl.SSLContext:
    """The system's authorities and the one in the network's file, if it has one."""
    context = ssl.create_default_context()
    found = kubectl.find("configmap", config_map) if config_map else None
    file = json.loads((found or {}).get("data", {}).get("network.json", "{}"))
    if file.get("ca"):
        context.load_verify_locations(cadata=file["ca"])
    return context
