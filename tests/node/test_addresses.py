"""Miners and a super node that are reached from outside the cluster, with policies enforced.

The steps are one story and run in this order. The customer is a process of this machine: no pod, no
name of the cluster. What is stored is read back whole after every step.
"""

import json
import tarfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from appliance import outside
from appliance.outside import BALANCED, HOSTS, NETWORK, PORTS
from appliance.outsider import Outsider, guests
from appliance.values import NEW_IMAGE
from chart_helm import CHART, TIMEOUT, Helm
from cluster.api import Api
from cluster.kubectl import Kubectl, KubectlError
from cluster.kwok import is_ready
from cluster.node.disk import Disk
from cluster.node.running import Node
from cluster.rest import Object
from cybervein_runtime.identity import new_identity
from farm import Plugin
from oci.archive import Archive
from waiting import DEADLINE_SECONDS, until

pytestmark = pytest.mark.node
DRAIN = "cybervein.io/drain"
FOUNDER, NEIGHBOUR = "founder", "neighbour"
WAIT = ("--wait", *TIMEOUT)
WIDE, FILE, MOVED = "wide", "file", "moved"
WIDE_CODE = "6/7"  # seven miners, two or three of each kind: no kind can be left out of a read
FILE_BYTES = 1_500_017


@dataclass
class Outside:
    """What the steps share."""

    node: Node
    customer: Outsider
    kubectl: Kubectl
    neighbour: Kubectl
    helm: Helm
    neighbours_helm: Helm
    plugin: Plugin
    bays: dict[str, Disk] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        """The founder's namespace."""
        return self.node.cluster.api.within(FOUNDER)

    def pool(self, name: str) -> Object:
        """A pool, wherever it is."""
        api = self.node.cluster.api.within(NEIGHBOUR if name == HOSTS else FOUNDER)
        found = api.get("minerpool", name)
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
            every_seconds=1,
            diagnose=self.describe,
        )

    def attention(self, name: str) -> set[str]:
        """Why miners of a pool are not Ready."""
        listed = self.pool(name).get("status", {}).get("attention", [])
        return {each["reason"] for each in listed}

    def disk_status(self, name: str) -> Object:
        """What the operator says of a MinerDisk."""
        found = self.api.get("minerdisk", name)
        assert found is not None, f"there is no disk {name}"
        status: Object = found["status"]
        return status

    def bay(self, disk: str) -> Disk:
        """Where a MinerDisk's bytes lie."""
        claim = self.api.get("persistentvolumeclaim", disk)
        assert claim is not None, f"there is no claim {disk}"
        return self.bays[claim["spec"]["volumeName"]]

    def urls(self) -> set[str]:
        """Where the ledger's miners say that they are."""
        return {each["url"] for each in self.customer.cybervein("miners") if each["online"]}

    def blocked(self) -> None:
        """Wait until pools of both releases say that a drain finds nobody to take its shards."""
        until(
            lambda: "DrainBlocked" in self.attention(PORTS) | self.attention(HOSTS),
            "a pool says who is in the way",
            diagnose=self.describe,
        )

    def stateful_sets(self) -> list[str]:
        """Miners of both releases that run."""
        miners = "app.kubernetes.io/component=miner"
        return [
            each["metadata"]["name"]
            for space in (FOUNDER, NEIGHBOUR)
            for each in self.node.cluster.api.within(space).list("statefulsets", labels=miners)
        ]

    def files_are_whole(self) -> bool:
        """Whether the customer gets every byte of both files."""
        return self.customer.reads_back(WIDE) and self.customer.reads_back(FILE)

    def describe(self) -> str:
        """What a person would look at when it makes no progress."""
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
    admin = node.cluster.api
    for name in (FOUNDER, NEIGHBOUR):
        node.cluster.make_namespace(name)
    kubectls = [node.cluster.kubectl.within(name) for name in (FOUNDER, NEIGHBOUR)]
    helms = [
        Helm(tmp_path_factory.mktemp(k.namespace), k.kubeconfig, k.namespace) for k in kubectls
    ]
    customer = Outsider(tmp_path_factory.mktemp("customer"), new_identity())
    admin.apply(outside.bare_disks())
    plugin = Plugin(
        admin.within(FOUNDER), kubectls[0].kubeconfig, tmp_path_factory.mktemp("plugin")
    )
    story = Outside(node, customer, *kubectls, *helms, plugin)
    for name in outside.bays(4):
        story.bays[name] = node.disk(name, outside.BAY_BYTES, outside.BAYS)
    node.policies.start()
    yield story
    story.kubectl("annotate", "node", node.name, f"{DRAIN}-")  # the next story needs this node
    node.policies.stop()
    node.balancer.stop()
    for name in (FOUNDER, NEIGHBOUR):
        admin.delete("namespace", name, wait=False)


def test_a_super_node_and_miners_at_ports_of_the_node(story: Outside) -> None:
    values = story.helm.values(outside.founder(story.node.address, story.customer.address))
    story.helm("install", "cybervein", CHART, "--values", values, *WAIT)
    story.api.wait("network", NETWORK, is_ready, "is Ready")
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


def test_the_ledger_has_what_each_pool_asks_for(story: Outside) -> None:
    def says(name: str) -> set[str]:
        seen = story.pool(name)["status"]["conditions"]
        return {each["reason"] for each in seen if each["type"] == "Registered"}

    for name in (PORTS, BALANCED, HOSTS):  # of the last, the kubelet fills in the address
        until(
            lambda name=name: says(name) == {"AsAsked"},  # type: ignore[misc]
            f"{name} is on the ledger as asked",
            diagnose=story.describe,
        )


def test_helms_own_test_passes_while_policies_are_enforced(story: Outside) -> None:
    story.helm("test", "cybervein", *TIMEOUT)
    assert story.node.policies.problem is None


def test_a_scaled_pool_is_well_and_says_so(story: Outside) -> None:
    story.kubectl("scale", "minerpool", PORTS, "--replicas=4")
    story.ready(PORTS, 4)
    said = until(lambda: nothing_amiss(story), "all of them prove, the new ones too")
    assert (said["ready"]["ok"], said["safe"]["ok"]) == (True, True)
    assert len(said["miners"]) == 6


def nothing_amiss(story: Outside) -> Any:
    """What `status` says once each of its answers is yes."""
    asked = story.plugin.start("status", "--json")
    out, _ = asked.communicate(timeout=DEADLINE_SECONDS)
    return json.loads(out) if asked.returncode == 0 else None


def test_a_drained_miner_leaves_and_comes_back(story: Outside) -> None:
    miner = f"{PORTS}-0"
    told = story.plugin("drain", miner)
    assert f"{miner}: drained and stopped" in told
    assert story.api.get("statefulset", miner) is None
    assert story.files_are_whole()
    story.plugin("drain", miner, "--cancel")
    story.ready(PORTS, 4)
    assert story.files_are_whole()


def test_an_emptied_disk_is_pulled_and_a_new_one_is_taken(story: Outside) -> None:
    name = f"{PORTS}-1-bay01"
    old = story.disk_status(name)["diskId"]
    told = " ".join(story.plugin("disk", "replace", name).split())
    assert f"{name} is empty and may be pulled: disk {old}" in told
    assert story.files_are_whole()
    story.bay(name).replace(outside.BAY_BYTES)
    told = story.plugin("disk", "replace", name, "--new")
    new = story.disk_status(name)["diskId"]
    assert new != old
    assert f"{name} is in use: disk {new}" in told
    assert (story.bay(name).here / "cybervein" / "disk.marker").exists()
    story.ready(PORTS, 4)
    assert story.files_are_whole()


def test_a_wipe_needs_the_disks_own_id_and_leaves_nothing_of_ours(story: Outside) -> None:
    name = f"{PORTS}-2-bay01"
    disk = story.disk_status(name)["diskId"]
    ours = story.bay(name).here / "cybervein"
    assert ours.exists()
    assert "not Drained" in story.plugin("wipe", name, "--confirm", disk, code=1)
    story.plugin("disk", "replace", name)
    assert f"--confirm {disk}" in story.plugin("wipe", name, code=1)
    assert list(ours.rglob("*.plot"))
    story.plugin("wipe", name, "--confirm", disk)
    assert not ours.exists()
    assert story.files_are_whole()
    story.plugin("disk", "replace", name, "--new")
    story.ready(PORTS, 4)
    assert story.files_are_whole()


def test_a_support_bundle_has_what_is_asked_for_and_no_secret(story: Outside) -> None:
    story.plugin("support-bundle", "--out", "bundle.tar.gz")
    with tarfile.open(story.plugin.directory / "bundle.tar.gz") as bundle:
        names = bundle.getnames()
        text = b"".join(
            file.read() for each in names if (file := bundle.extractfile(each)) is not None
        )
    assert any("minerpools" in name for name in names), names
    assert any(f"{PORTS}-0-0" in name for name in names), names
    for secret in story.api.list("secrets"):
        for value in secret.get("data", {}).values():
            assert value.encode() not in text
            assert b64decode(value) not in text
    assert story.files_are_whole()


def test_a_node_that_shall_be_emptied_waits_until_others_can_take_what_it_holds(
    story: Outside,
) -> None:
    story.customer.put(MOVED, FILE_BYTES, "--code", "2/3")
    for name in (WIDE, FILE):
        story.customer.cybervein("rm", name, "--yes")
    node = ("node", story.node.name)
    story.kubectl("annotate", *node, f"{DRAIN}=true")
    story.blocked()
    assert story.customer.reads_back(MOVED)
    with guests(story.customer, story.node.room.wire.outer_address, 3):
        until(
            lambda: not story.stateful_sets(),
            "every miner of the node was emptied and stopped",
            diagnose=story.describe,
        )
        assert story.customer.reads_back(MOVED)
        until(
            lambda: not any(story.node.address in url for url in story.urls()),
            "the super node sees that they are gone",
            diagnose=story.describe,
        )
        story.kubectl("annotate", *node, f"{DRAIN}-")
        for pool, miners in ((PORTS, 4), (BALANCED, 2), (HOSTS, 2)):
            story.ready(pool, miners)
        assert story.customer.reads_back(MOVED)
