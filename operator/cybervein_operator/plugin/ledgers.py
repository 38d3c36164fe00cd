"""What the ledgers say of our miners, asked through the API server or at the super node's URL.

A super node of this cluster is reached through the API server's proxy of its Service, with the
person's own rights; that of a joined network at its public URL.
"""

import json
import ssl
import urllib.request
from collections.abc import Iterable
from typing import Any

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.plugin.answers import Ledger, LedgerStanding, Object
from cybervein_operator.plugin.kubectl import Kubectl

PAGE = 500
TIMEOUT_SECONDS = 10


def ask(kubectl: Kubectl, networks: Iterable[Object]) -> dict[str, Ledger]:
    """Each network's ledger by NAMESPACE/NAME."""
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": _ledger(kubectl, each)
        for each in networks
    }


def _ledger(kubectl: Kubectl, network: Object) -> Ledger:
    try:
        head = _get(kubectl, network, "/v1/network")
        return Ledger(
            epoch=head["epoch"],
            standings=tuple(_standings(kubectl, network)),
            coin_decimals=head["preset"]["coin_decimals"],
        )
    except (CyberVeinError, OSError, ValueError, KeyError) as error:
        return Ledger(problem=f"its super node was not reached ({' '.join(str(error).split())})")


def _standings(kubectl: Kubectl, network: Object) -> Iterable[LedgerStanding]:
    after = ""
    while True:
        page = _get(kubectl, network, f"/v1/miners?limit={PAGE}{after}")
        for each in page["miners"]:
            keys = ("address", "rewards", "fees", "penalties", "last_proof_epoch")
            yield LedgerStanding(*(each[key] for key in keys))
        if not page.get("next"):
            return
        after = f"&after={page['next']}"


def _get(kubectl: Kubectl, network: Object, path: str) -> Any:  # noqa: ANN401 -- JSON
    meta = network["metadata"]
    if "superNode" in network["spec"]:
        service = f"https:{meta['name']}-supernode:7700"
        return json.loads(
            kubectl.raw(f"/api/v1/namespaces/{meta['namespace']}/services/{service}/proxy{path}")
        )
    status = network.get("status", {})
    url = status.get("url") or ""
    if not url.startswith("https://"):
        raise ValueError("the Network's status has no https URL yet")
    request = urllib.request.Request(url + path)  # noqa: S310 -- https, see above
    context = _trust(Kubectl(meta["namespace"], kubectl.context), status.get("configMap") or "")
    with urllib.request.urlopen(  # noqa: S310
        request, timeout=TIMEOUT_SECONDS, context=context
    ) as answer:
        return json.loads(answer.read())


def _trust(kubectl: Kubectl, config_map: str) -> ssl.SSLContext:
    """The system's authorities and the one in the network's file, if it has one."""
    context = ssl.create_default_context()
    found = kubectl.find("configmap", config_map) if config_map else None
    file = json.loads((found or {}).get("data", {}).get("network.json", "{}"))
    if file.get("ca"):
        context.load_verify_locations(cadata=file["ca"])
    return context
