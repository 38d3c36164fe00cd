"""Miners and a super node that are reached from outside the cluster, with policies enforced.

The steps are one story and run in this order. The customer is a process of this machine: no pod, no
name of the cluster. Two files are read back whole after every step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from appliance import outside
from appliance.outside import BALANCED, HOSTS, NETWORK, PORTS
from appliance.outsider import Outsider
from appliance.values import NEW_IMAGE
from chart_helm import CHART, Helm
from cluster.kubectl import Kubectl, KubectlError, Object
from cluster.kwok import is_ready
from cluster.node.disk import Disk
from cluster.node.running import Node
from cluster.waiting import until
from cybervein_runtime.identity import new_identity
from oci.archive import Archive

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]
FOUNDER, NEIGHBOUR = "founder", "neighbour"
WAIT = ("--wait", "--timeout", "110s")
WIDE, FILE = "wide", "file"
WIDE_CODE = "6/7"  # seven miners, two or three of each kind: no kind can be left out of a read
FILE_BYTES = 1_500_017
PATIENCE_SECONDS = 180


@dataclass
class Outside:
    """What the steps share."""

    node: Node
    customer: Outsider
    kubectl: Kubectl
    neighbour: Kubectl
    helm: Helm
    neighbours_helm: Helm
    bays: dict[str, Disk] = field(default_factory=dict)

    def pool(self, name: str) -> Object:
        """A pool, wherever it is."""
        kubectl = self.neighbour if name == HOSTS else self.kubectl
        found = kubectl.get("minerpool", name)
        assert found is not None, f"there is no pool {name}"
        return found

    def ready(self, name: str, miners: int) -> None:
        """Wait until so many miners of a pool are Ready."""

        def reached() -> bool:
            status = self.pool(name).get("status", {})
            return (status.get("replicas"), status.get("readyReplicas")) == (miners, miners)

        until(
            reached,
            f"{miners} miners of {name} are Ready",
            timeout_seconds=PATIENCE_SECONDS,
            every_seconds=1,
            diagnose=self.describe,
        )

    def attention(self, name: str) -> set[str]:
        """Why miners of a pool are not Ready."""
        listed = self.pool(name).get("status", {}).get("attention", [])
        return {each["reason"] for each in listed}

    def urls(self) -> set[str]:
        """Where the ledger's miners say that they are."""
        return {each["url"] for each in self.customer.cybervein("miners") if each["online"]}

    def files_are_whole(self) -> bool:
        """Whether the customer gets every byte of both files."""
        return self.customer.reads_back(WIDE) and self.customer.reads_back(FILE)

    def describe(self) -> str:
        """What a person would look at when it does not go on."""
        views = (
            ("get", "networks,minerpools,minerdisks,pods,services", "-o", "wide"),
            ("get", "minerpools", "-o", "jsonpath={range .items[*]}{.status}{'\\n'}{end}"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "-l", "app.kubernetes.io/component=operator", "--tail=40"),
        )
        said = [str(self.node.policies.problem)]
        for kubectl in (self.kubectl, self.neighbour):
            for view in views:
                try:
                    said.append(kubectl(*view))
                except KubectlError as error:
                    said.append(str(error))
        return "\n".join(said)


@pytest.fixture(scope="module")
def story(
    node: Node, image: Archive, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outside]:
    node.load(image.path, f"docker.io/library/{NEW_IMAGE}")
    admin = node.cluster.kubectl
    for name in (FOUNDER, NEIGHBOUR):
        node.cluster.make_namespace(name)
    kubectls = [admin.within(name) for name in (FOUNDER, NEIGHBOUR)]
    helms = [
        Helm(tmp_path_factory.mktemp(k.namespace), k.kubeconfig, k.namespace) for k in kubectls
    ]
    customer = Outsider(tmp_path_factory.mktemp("customer"), new_identity())
    admin.apply(outside.bare_disks())
    story = Outside(node, customer, *kubectls, *helms)
    for name in outside.bays(4):
        story.bays[name] = node.disk(name, outside.BAY_BYTES, outside.BAYS)
    node.policies.start()
    yield story
    node.policies.stop()
    node.balancer.stop()
    for name in (FOUNDER, NEIGHBOUR):
        admin.delete("namespace", name, "--wait=false")


def test_a_super_node_and_miners_at_ports_of_the_node(story: Outside) -> None:
    values = story.helm.values(outside.founder(story.node.address, story.customer.address))
    story.helm("install", "cybervein", CHART, "--values", values, *WAIT)
    story.kubectl.wait("network", NETWORK, is_ready, "is Ready", timeout_seconds=PATIENCE_SECONDS)
    story.ready(PORTS, 3)
    story.customer.take_network(story.kubectl, NETWORK)
    first = outside.FIRST_NODE_PORT
    expected = {f"http://{story.node.address}:{first + number}" for number in range(3)}
    until(
        lambda: story.urls() == expected, "the ledger has the nodes' ports", diagnose=story.describe
    )


def test_miners_behind_a_load_balancer_wait_for_their_addresses(story: Outside) -> None:
    until(lambda: story.attention(BALANCED) == {"NoAddress"}, "the miners have no address yet")
    story.node.balancer.start()
    story.ready(BALANCED, 2)


def test_host_ports_need_a_namespace_that_is_labelled_for_them(story: Outside) -> None:
    network = story.customer.take_network(story.kubectl, NETWORK)
    story.neighbour("create", "configmap", "main-network", f"--from-literal=network.json={network}")
    values = story.neighbours_helm.values(outside.neighbour("main-network"))
    story.neighbours_helm("install", "cybervein", CHART, "--values", values, *WAIT)
    until(
        lambda: "HostAccessDenied" in str(story.pool(HOSTS).get("status", {})),
        "the pool says that its namespace is not labelled",
        diagnose=story.describe,
    )
    story.neighbour(
        *("label", "namespace", NEIGHBOUR, "--overwrite"),
        "pod-security.kubernetes.io/enforce=privileged",
        "cybervein.io/host-access=allowed",
    )
    story.ready(HOSTS, 2)


def test_a_customer_outside_puts_and_gets_through_all_of_them(story: Outside) -> None:
    until(lambda: len(story.urls()) == 7, "all seven miners answer the super node")
    story.customer.put(WIDE, FILE_BYTES, "--code", WIDE_CODE)
    story.customer.put(FILE, FILE_BYTES)
    assert story.files_are_whole()
    held = {each["url"]: each["held_shards"] for each in story.customer.cybervein("miners")}
    assert len(held) == 7
    assert all(held.values()), held
    assert not any(".svc" in url for url in held)


def test_helms_own_test_passes_while_policies_are_enforced(story: Outside) -> None:
    story.helm("test", "cybervein", "--timeout", "110s")
    assert story.node.policies.problem is None
