"""The chart's NetworkPolicies on a node that enforces them: who reaches whom, and who does not."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chart_helm import Helm, Object
from cluster.api import Api
from cluster.kubectl import Kubectl, KubectlError
from cluster.kwok import is_ready
from cluster.node.oci import write_image
from cluster.node.running import Node
from cluster.samples import container
from cluster.tools import tool
from cybervein_operator.cluster.login import find_person
from cybervein_operator.desired.address import SHARDS_PORT
from cybervein_operator.desired.miner_pod import METRICS_PORT
from cybervein_operator.desired.supernode_pod import HTTPS_PORT
from cybervein_operator.plugin.api_server import connected
from waiting import until

pytestmark = pytest.mark.node
IMAGE = "localhost/answer:chart"
SPACE = "chart-policies"
OPERATOR_PORT, OTHER_PORT = 8080, 9999
PORTS = (SHARDS_PORT, METRICS_PORT, HTTPS_PORT, OPERATOR_PORT, OTHER_PORT)
OURS = ("miner", "supernode", "operator", "test", "nameless")
PODS = (*OURS, "client")

OPEN = [
    ("client", "miner", SHARDS_PORT),
    ("client", "miner", METRICS_PORT),
    ("client", "supernode", HTTPS_PORT),
    ("client", "operator", OPERATOR_PORT),
    ("miner", "supernode", HTTPS_PORT),
    ("supernode", "miner", SHARDS_PORT),
    ("supernode", "client", OTHER_PORT),
    ("operator", "miner", SHARDS_PORT),
    ("operator", "supernode", HTTPS_PORT),
    ("test", "supernode", HTTPS_PORT),
    ("test", "operator", OPERATOR_PORT),
]
CLOSED = [
    ("client", "miner", OTHER_PORT),
    ("client", "miner", HTTPS_PORT),
    ("client", "supernode", SHARDS_PORT),
    ("client", "operator", OTHER_PORT),
    ("client", "nameless", OPERATOR_PORT),
    ("miner", "client", OTHER_PORT),
    ("miner", "operator", OPERATOR_PORT),
    ("operator", "client", OTHER_PORT),
    ("operator", "miner", METRICS_PORT),
    ("test", "miner", SHARDS_PORT),
    ("nameless", "client", OTHER_PORT),
    ("nameless", "miner", SHARDS_PORT),
]


@dataclass
class Village:
    """Pods that listen on every port, and who may reach whom."""

    api: Api
    kubectl: Kubectl
    addresses: dict[str, str]

    def reaches(self, who: str, whom: str, port: int) -> bool:
        url = f"http://{self.addresses[whom]}:{port}"
        try:
            return bool(self.kubectl("exec", who, "--", "/answer", url).strip())
        except KubectlError:
            return False

    def until(self, who: str, whom: str, port: int, *, is_open: bool) -> None:
        """Wait until the pair is open, or closed: policies come into force pod by pod."""
        until(
            lambda: self.reaches(who, whom, port) is is_open,
            f"{who} -> {whom}:{port} is {'open' if is_open else 'closed'}",
            every_seconds=1,
        )

    def wrong(self) -> list[str]:
        """Where it is otherwise than the tables say."""
        asked = [(True, each) for each in OPEN] + [(False, each) for each in CLOSED]
        return [
            f"{who} -> {whom}:{port} should be {'open' if is_open else 'closed'}"
            for is_open, (who, whom, port) in asked
            if self.reaches(who, whom, port) is not is_open
        ]


def pod(name: str) -> Object:
    labels = {"app.kubernetes.io/name": "cybervein"} if name in OURS else {"app": name}
    if name not in {"nameless", "client"}:
        labels |= {"app.kubernetes.io/component": name, "app.kubernetes.io/instance": "cybervein"}
    ports = ",".join(str(port) for port in PORTS)
    env = [{"name": "ANSWER_PORTS", "value": ports}]
    main = container(IMAGE, imagePullPolicy="Never", env=env)
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [main]}}


@pytest.fixture(scope="module")
def village(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    archive = write_image(tmp_path_factory.mktemp("image") / "answer.tar", tool("answer"))
    node.load(archive, IMAGE)
    node.cluster.make_namespace(SPACE)
    api, kubectl = node.cluster.api.within(SPACE), node.cluster.kubectl.within(SPACE)
    api.apply(*(pod(name) for name in PODS))
    found = {name: api.wait("pod", name, is_ready, "is Ready") for name in PODS}
    made = Village(api, kubectl, {name: each["status"]["podIP"] for name, each in found.items()})
    assert made.reaches("client", "miner", OTHER_PORT)  # nothing is closed yet
    node.policies.start()
    yield made
    node.policies.stop()
    node.cluster.api.delete("namespace", SPACE, wait=False)


def policies(tmp_path: Path, *flags: str) -> list[Object]:
    rendered = Helm(tmp_path, namespace=SPACE).render(*flags)
    return [each for each in rendered if each["kind"] == "NetworkPolicy"]


def test_what_is_needed_is_open_and_the_rest_is_closed(
    village: Village, node: Node, tmp_path: Path
) -> None:
    village.api.apply(*policies(tmp_path))
    until(lambda: not village.wrong(), "the policies hold", every_seconds=1,
          diagnose=lambda: "\n".join(village.wrong()))  # fmt: skip
    assert node.policies.problem is None


def test_metrics_are_closed_to_all_but_the_named_peers(village: Village, tmp_path: Path) -> None:
    peers = "networkPolicy.metricsFrom[0].podSelector.matchLabels.app=scraper"
    village.api.apply(*policies(tmp_path, "--set", peers))
    # Each pod's rules are put in place by themselves, so each pair is waited for.
    for whom, port in (("miner", METRICS_PORT), ("operator", OPERATOR_PORT)):
        village.until("client", whom, port, is_open=False)
    village.until("client", "miner", SHARDS_PORT, is_open=True)
    village.kubectl("label", "pod", "client", "app=scraper", "--overwrite")
    village.until("client", "miner", METRICS_PORT, is_open=True)


def test_a_support_bundle_has_metrics_that_the_api_servers_proxy_does_not_get(
    village: Village, node: Node, tmp_path: Path
) -> None:
    village.api.apply(*policies(tmp_path))
    village.until("nameless", "client", OTHER_PORT, is_open=False)
    at = f"/api/v1/namespaces/{SPACE}/pods/miner:{METRICS_PORT}/proxy/metrics"
    with pytest.raises(KubectlError):  # the API server is no pod
        village.kubectl("get", "--raw", at, "--request-timeout=5s")

    async def ask(pod: str, port: int) -> str:
        login = await find_person(node.cluster.kubectl.kubeconfig)
        async with connected(login, SPACE, everywhere=False) as api:
            return await api.of_pod(SPACE, pod, port, "/metrics")

    for pod, port in (("miner", METRICS_PORT), ("operator", OPERATOR_PORT)):
        assert pod in asyncio.run(ask(pod, port))
