"""What the operator of 0.2.0 left, by its own sources and chart, is taken over by today's.

The node's story (tests/node) has the real pods; here the API server shows what becomes of objects.
"""

import base64
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import earlier
import pytest
from chart_helm import CHART, PACKAGE_0_2, Helm
from cluster.kwok import is_ready
from oci.plugin import EARLIER
from operator_lab import Lab
from process import Process
from waiting import until

pytestmark = pytest.mark.kubernetes
OPERATOR_0_2 = "from cybervein_operator.cli import operator; operator()"
NETWORK, POOL, MINERS = "own", "home", 2
VALUES = {
    "networks": {NETWORK: {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}},
    "pools": {
        POOL: {
            "networkRef": {"name": NETWORK},
            "replicas": MINERS,
            "disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}],
        }
    },
}


@contextmanager
def operator_of_0_2(lab: Lab) -> Iterator[None]:
    """Its own Python, with the rights that its own chart gives it."""
    lab.log_in()
    line = [str(word) for word in lab.process.command]
    own = line[line.index("run") :]
    with earlier.unpacked(EARLIER) as (root, made):
        assert made.version == "0.2.0"
        parts = ("protocol", "runtime", "miner", "supernode", "client", "operator")
        path = {"PYTHONPATH": ":".join(str(root / each) for each in parts)}
        command = [sys.executable, "-c", OPERATOR_0_2, *own]
        lab.process = Process("operator-0.2.0", command, lab.directory, path)
        with lab.started():
            yield


def uids(lab: Lab, *kinds: str) -> dict[str, str]:
    """Objects of CyberVein by kind and name."""
    ours = "app.kubernetes.io/name=cybervein"
    return {
        f"{kind}/{each['metadata']['name']}": each["metadata"]["uid"]
        for kind in kinds
        for each in lab.api.list(kind, labels=ours)
    }


def generations(lab: Lab) -> dict[str, int]:
    """How often each pod's template was written, at most: of miners and super node."""
    found = lab.api.list("statefulset", labels="app.kubernetes.io/name=cybervein")
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in found}


def data(lab: Lab, kind: str, name: str, key: str) -> bytes:
    found = lab.api.get(kind, name)
    assert found is not None
    text: str = found["data"][key]
    return base64.b64decode(text) if kind == "secret" else text.encode()


def serve(lab: Lab, authority: str) -> None:
    """The super node, whose file names its authority, as it was founded with."""
    node = lab.super_node("not-served-yet")
    node.document = json.dumps(json.loads(node.document) | {"ca": authority}).encode()
    lab.responder.super_nodes[lab.namespace, NETWORK] = node


def test_nothing_is_lost_and_everybody_is_ready_after_the_upgrade(
    make_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    lab = make_lab()
    helm = Helm(tmp_path, lab.kubectl.kubeconfig, lab.namespace)
    values = helm.values(VALUES)
    helm("install", "cybervein", PACKAGE_0_2, "--values", values)
    with operator_of_0_2(lab):
        lab.wait("secret", f"{NETWORK}-ca", lambda seen: seen["data"]["ca.key"], "is made")
        authority = data(lab, "secret", f"{NETWORK}-ca", "ca.crt")
        serve(lab, authority.decode())
        lab.ready(POOL, MINERS)
        lab.wait("network", NETWORK, is_ready, "is Ready")
    kinds = ("secret", "pvc", "statefulset", "service", "minerdisk", "configmap")
    before, templates = uids(lab, *kinds), generations(lab)
    file = data(lab, "configmap", f"{NETWORK}-network", "network.json")

    helm("upgrade", "cybervein", CHART, "--values", values, "--no-hooks")
    lab.log_in()
    with lab.started():
        until(
            lambda: lab.metric("cybervein_operator_miners", phase="Ready") == MINERS,
            "today's operator knows that they are Ready",
            diagnose=lab.process.tail,
        )
        lab.ready(POOL, MINERS)
        network = lab.wait("network", NETWORK, is_ready, "is Ready")
        pool = lab.wait("minerpool", POOL, is_ready, "is Ready")
        degraded = [
            each["message"]
            for found in (network, pool)
            for each in found["status"]["conditions"]
            if each["type"] == "Degraded" and each["status"] == "True"
        ]
        assert degraded == []
        assert before.items() <= uids(lab, *kinds).items()
        now = generations(lab)
        assert all(now[name] - generation <= 1 for name, generation in templates.items())
        assert data(lab, "configmap", f"{NETWORK}-network", "network.json") == file
        held = data(lab, "secret", "cybervein-operator-tls", f"{NETWORK}.ca.crt")
        assert held == authority
