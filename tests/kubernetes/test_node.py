"""A pod under Pod Security `restricted` runs on the node, is found by name and by port."""

import urllib.request
from collections.abc import Iterator
from urllib.error import URLError

import pytest
from cluster.api import Api
from cluster.kubectl import Kubectl, KubectlError
from cluster.kwok import is_ready
from cluster.node.oci import write_image
from cluster.node.running import Node
from cluster.samples import Object, container, stateful_set
from cluster.tools import tool
from waiting import until

pytestmark = pytest.mark.node
IMAGE = "localhost/answer:1"
PORT = 8080


@pytest.fixture
def kubectl(api: Api, node: Node) -> Kubectl:
    return node.cluster.kubectl.within(api.namespace)


@pytest.fixture(scope="module")
def api(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    archive = tmp_path_factory.mktemp("image") / "answer.tar"
    node.load(write_image(archive, tool("answer"), tag="localhost/built:dev"), IMAGE)
    node.cluster.make_namespace("answers")
    admin = node.cluster.api.within("answers")
    ready = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
    main = container(IMAGE, imagePullPolicy="Never", readinessProbe=ready)
    admin.apply(stateful_set("web", claim="1Gi", main=main), service())
    admin.wait("pod", "web-0", is_ready, "is Ready")
    yield admin
    node.cluster.api.delete("namespace", "answers", wait=False)


def service() -> Object:
    ports = [{"port": 80, "targetPort": PORT}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": ports},
    }


def body(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 http, to our own node
            text: bytes = answer.read()
            return text.decode().strip()
    except URLError as error:
        return str(error)


def test_a_service_is_found_by_its_name_from_within_a_pod(kubectl: Kubectl) -> None:
    url = "http://web.answers.svc.cluster.local"

    def says() -> str:
        try:
            return kubectl("exec", "web-0", "--", "/answer", url).strip()
        except KubectlError as error:
            return str(error)

    until(lambda: says() == "web-0", "the Service's name leads to the pod", diagnose=says)


def test_a_node_port_answers_from_outside(api: Api, node: Node) -> None:
    found = api.get("service", "web")
    assert found is not None
    url = f"http://{node.address}:{found['spec']['ports'][0]['nodePort']}"
    until(lambda: body(url) == "web-0", "the NodePort leads to the pod", diagnose=lambda: body(url))


def test_a_pod_answers_at_its_own_address(api: Api) -> None:
    pod = api.get("pod", "web-0")
    assert pod is not None
    assert body(f"http://{pod['status']['podIP']}:{PORT}") == "web-0"


def test_its_claim_is_a_folder_of_the_group_of_the_pod(api: Api, node: Node) -> None:
    claim = api.get("persistentvolumeclaim", "data-web-0")
    assert claim is not None
    assert claim["status"]["phase"] == "Bound"
    assert node.volumes.folder(claim).is_dir()


def test_a_disk_that_fails_answers_with_io_errors(node: Node) -> None:
    disk = node.disk("bay-7", 64 << 20, "bays")
    (disk.here / "kept").write_text("bytes")
    assert node.run("cat", disk.folder / "kept") == "bytes"
    disk.fail()
    with pytest.raises(RuntimeError, match="Input/output error"):
        node.run("cat", disk.folder / "kept")
    volume = node.cluster.api.get("persistentvolume", "bay-7")
    assert volume is not None
    assert volume["spec"]["local"]["path"] == str(disk.folder)


def test_a_killed_container_is_started_again(api: Api, node: Node) -> None:
    def restarts() -> int:
        pod = api.get("pod", "web-0")
        assert pod is not None
        return int(pod["status"]["containerStatuses"][0]["restartCount"])

    before = restarts()
    node.kill("answers", "web-0", "main")
    until(lambda: restarts() > before, "kubelet started the container again")
    api.wait("pod", "web-0", is_ready, "is Ready again")
