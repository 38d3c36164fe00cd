"""What a joined network's ledger says is asked over HTTPS, trusted by the network's own file."""

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from cybervein_operator.authority import Pair, make_authority, make_server
from cybervein_protocol.api.super_node.miners import ListedMiner, MinerListing
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import address
from documents import made
from farm import Plugin, condition, disk_says, miner_disk, resource, say

pytestmark = pytest.mark.kubernetes
OTHERS, OURS = address(b"\1" * 32), address(b"\2" * 32)
HEAD = made(NetworkDocument, preset=msgspec.to_builtins(TEST), epoch=10)
OTHER = made(ListedMiner, address=OTHERS, rewards=9, last_proof_epoch=1)
OWN = made(ListedMiner, address=OURS, rewards=2_000_000_000, fees=500_000_000, last_proof_epoch=9)
PAGES = {
    "/v1/network": HEAD,
    "/v1/miners?limit=500": MinerListing([OTHER], 2, OTHERS),
    f"/v1/miners?limit=500&after={OTHERS}": MinerListing([OWN], 2, None),
}


class SuperNode(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = msgspec.json.encode(PAGES[self.path])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def authority() -> Pair:
    return make_authority("main", datetime.now(UTC))


@pytest.fixture
def url(authority: Pair, tmp_path: Path) -> Iterator[str]:
    """A super node's HTTPS, under the network's own authority."""
    pair = make_server(authority, ["127.0.0.1"], datetime.now(UTC))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pair.certificate + pair.key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), SuperNode)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def join(plugin: Plugin, url: str, file: dict[str, str]) -> None:
    disk = {"name": "disk1", "claimTemplate": {"size": "1Gi"}}
    pool = {"networkRef": {"name": "main"}, "replicas": 1, "disks": [disk]}
    plugin.api.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "main-network"},
            "data": {"network.json": json.dumps(file)},
        },
        resource("Network", "main", {"join": {"configMap": "main-file"}}),
        resource("MinerPool", "pool", pool),
        miner_disk(0),
    )
    word = {"conditions": [condition("True", "Fine")]}
    say(plugin.api, "network", "main", url=url, configMap="main-network", **word)
    say(plugin.api, "minerpool", "pool", replicas=1, readyReplicas=1, **word)
    disk_says(plugin.api, 0, phase="InUse", address=OURS)


def test_earnings_come_from_the_ledger_page_by_page(
    plugin: Plugin, url: str, authority: Pair
) -> None:
    join(plugin, url, {"ca": authority.certificate.decode()})
    seen = json.loads(plugin("status", "--json"))
    text = "1 of 1 miners proved lately; earned so far: 2.5 coins"
    assert seen["earning"] == {"ok": True, "text": text}


def test_a_super_node_under_another_authority_is_not_believed(plugin: Plugin, url: str) -> None:
    other = make_authority("other", datetime.now(UTC))
    join(plugin, url, {"ca": other.certificate.decode()})
    seen = json.loads(plugin("status", "--json"))
    assert seen["earning"]["ok"] is None
    assert "certificate verify failed" in seen["earning"]["text"].lower()
