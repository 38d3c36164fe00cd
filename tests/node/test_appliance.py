"""The appliance on a real node, from `helm install` of an earlier version to its adoption again.

That version is version 0.2.0: its chart as it was packaged, its image from that version's sources.
The steps are one story and run in this order. From the put to the uninstall a customer's pod reads
the file again and again and compares every byte: not one read may fail, whatever the steps do.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from appliance.customer import Customer
from appliance.fleet import Fleet
from appliance.values import (
    MINERS,
    NETWORK,
    NEW_IMAGE,
    OLD_IMAGE,
    PLOTS,
    POOL,
    earlier,
    today,
)
from chart_helm import CHART, PACKAGE_0_2, TIMEOUT, Helm
from cluster.api import Api
from cluster.kubectl import Kubectl
from cluster.kwok import is_ready
from cluster.node.running import Node
from cluster.rest import Object
from cybervein_operator.crd import SCHEMA, schema_number
from cybervein_runtime.identity import new_identity
from oci.archive import Archive
from waiting import until

pytestmark = pytest.mark.node
NAMESPACE = "appliance"
WAIT = ("--wait", *TIMEOUT)
PAUSED = "cybervein.io/paused"
REGISTRY = "docker.io/library/"
CUSTOMERS = ("customer", "newcomer")  # the second one comes after the upgrade


@dataclass
class Appliance:
    """What the steps share."""

    node: Node
    api: Api
    kubectl: Kubectl
    helm: Helm
    customer: Customer
    newcomer: Customer
    fleet: Fleet
    kept: dict[str, str]
    network: str = ""
    earlier_program: str = ""
    pods: dict[str, str] = field(default_factory=dict)

    def today(self) -> Path:
        """Values of today's chart for as many miners as there are then."""
        customers = self.customer.address, self.newcomer.address
        return self.helm.values(today(*customers, miners=MINERS - 1))

    def earned(self) -> dict[str, int]:
        """What each miner that is not drained earned so far, by address."""
        miners = self.customer.cybervein("miners")
        return {each["address"]: each["rewards"] for each in miners if not each["draining"]}

    def earned_since(self, before: dict[str, int]) -> bool:
        """Whether each of them has earned more by now."""
        now = self.earned()
        return all(now[address] > rewards for address, rewards in before.items())


@pytest.fixture(scope="module")
def appliance(
    node: Node,
    image: Archive,
    earlier_image: Archive,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Appliance]:
    for name, archive in ((OLD_IMAGE, earlier_image), (NEW_IMAGE, image)):
        node.load(archive.path, REGISTRY + name)
    node.cluster.make_namespace(NAMESPACE)
    kubectl, api = node.cluster.kubectl.within(NAMESPACE), node.cluster.api.within(NAMESPACE)
    helm = Helm(tmp_path_factory.mktemp("helm"), kubectl.kubeconfig, NAMESPACE)
    customer, newcomer = (Customer(api, kubectl, new_identity(), name) for name in CUSTOMERS)
    yield Appliance(node, api, kubectl, helm, customer, newcomer, Fleet(api, kubectl), {})
    api.delete("namespace", NAMESPACE, wait=False)


def test_the_earlier_chart_founds_a_network_and_every_miner_gets_ready(
    appliance: Appliance,
) -> None:
    began = time.monotonic()
    customers = appliance.customer.address, appliance.newcomer.address
    values = appliance.helm.values(earlier(*customers))
    appliance.helm("install", "cybervein", PACKAGE_0_2, "--values", values, *WAIT)
    appliance.api.wait("network", NETWORK, is_ready, "is Ready")
    appliance.fleet.ready(MINERS)
    print(f"from helm install to {MINERS} Ready miners: {time.monotonic() - began:.0f} s")
    found = appliance.api.get("network", NETWORK)
    assert found is not None
    appliance.network = found["status"]["network"]


def test_miners_plot_and_earn(appliance: Appliance) -> None:
    appliance.customer.arrive(NETWORK, OLD_IMAGE)

    def earning() -> list[Object]:
        found = appliance.customer.cybervein("miners")
        paid = [miner for miner in found if miner["weight"] > 0 and miner["rewards"] > 0]
        return paid if len(paid) == MINERS else []

    until(earning, f"{MINERS} miners earn", every_seconds=3)
    disks = appliance.api.list("minerdisks")
    assert [disk["status"]["plots"] for disk in disks] == [PLOTS] * MINERS
    assert {disk["status"]["phase"] for disk in disks} == {"InUse"}


def test_a_file_is_put_and_got_through_the_services(appliance: Appliance) -> None:
    appliance.customer.put()
    appliance.customer.keep_reading()
    assert [each.wrong for each in appliance.customer.failures()] == []


def test_a_killed_miner_comes_back_with_its_disks(appliance: Appliance) -> None:
    before = appliance.fleet.disks()
    for container in ("miner", "sidecar"):
        appliance.node.kill(NAMESPACE, f"{POOL}-0-0", container)

    def restarted() -> bool:
        pod = appliance.api.get("pod", f"{POOL}-0-0")
        assert pod is not None
        counts = [each["restartCount"] for each in pod["status"]["containerStatuses"]]
        return min(counts) >= 1 and is_ready(pod)

    until(restarted, "both containers were started again")
    appliance.fleet.ready(MINERS)
    assert appliance.fleet.disks() == before


def test_a_killed_operator_goes_on_where_it_was(appliance: Appliance) -> None:
    (pod,) = appliance.api.list("pods", labels="app.kubernetes.io/component=operator")
    appliance.node.kill(NAMESPACE, pod["metadata"]["name"], "operator")
    appliance.fleet.scale(MINERS + 1)
    appliance.fleet.ready(MINERS + 1)


def test_a_cordoned_node_starts_nothing_and_stops_nothing(appliance: Appliance) -> None:
    appliance.kubectl("cordon", appliance.node.name)
    appliance.fleet.scale(MINERS + 2)

    def told() -> bool:
        attention = appliance.fleet.pool()["status"].get("attention", [])
        return any(each["miner"] == f"{POOL}-{MINERS + 1}" for each in attention)

    until(told, "the pool names the miner that finds no node")
    assert appliance.fleet.pool()["status"]["readyReplicas"] == MINERS + 1
    appliance.kubectl("uncordon", appliance.node.name)
    appliance.fleet.ready(MINERS + 2)


def test_scaling_down_drains_before_anything_stops(appliance: Appliance) -> None:
    claims = appliance.fleet.kept()
    began = time.monotonic()
    appliance.fleet.scale(MINERS - 1)
    gone = [f"{POOL}-{number}" for number in range(MINERS - 1, MINERS + 2)]
    appliance.fleet.ready(MINERS - 1)
    print(f"three miners drained and stopped in {time.monotonic() - began:.0f} s")
    audited = appliance.customer.cybervein("audit", "file")
    assert {shard["outcome"] for shard in audited["shards"]} == {"passed"}
    for miner in gone:
        appliance.api.wait_gone("statefulset", miner)
    assert appliance.fleet.kept() == claims


def test_until_now_every_program_is_of_the_earlier_version(appliance: Appliance) -> None:
    programs = appliance.fleet.programs()
    assert len(programs) == 2 * (MINERS - 1) + 2  # with super node and operator
    (appliance.earlier_program,) = set(programs.values())
    assert appliance.customer.program() == appliance.earlier_program


def test_after_the_upgrade_todays_operator_and_super_node_work_with_earlier_miners(
    appliance: Appliance,
) -> None:
    appliance.kept, earned = appliance.fleet.kept(), appliance.earned()
    appliance.pods = appliance.fleet.uids()
    appliance.kubectl("annotate", "minerpool", POOL, PAUSED + "=true")
    appliance.helm("upgrade", "cybervein", CHART, "--values", appliance.today(), *WAIT)
    appliance.fleet.others_run(NEW_IMAGE)
    found = appliance.api.wait("network", NETWORK, is_ready, "is Ready")
    assert found["status"]["network"] == appliance.network
    miners = {each for name, each in appliance.fleet.programs().items() if POOL in name}
    assert miners == {appliance.earlier_program}
    assert len(earned) == MINERS - 1
    until(lambda: appliance.earned_since(earned), "every miner earns on")
    status = appliance.fleet.pool()["status"]
    assert (status["replicas"], status["updatedReplicas"]) == (MINERS - 1, 0)
    assert appliance.fleet.uids() == appliance.pods
    for name in ("networks", "minerpools", "minerdisks"):
        found = appliance.api.get("crd", f"{name}.cybervein.io")
        assert found is not None
        assert schema_number(found) == SCHEMA  # by the hook


def test_an_upgrade_replaces_one_miner_at_a_time(appliance: Appliance) -> None:
    disks, plots, earned = appliance.fleet.disks(), appliance.fleet.plots(), appliance.earned()
    began = time.monotonic()
    appliance.kubectl("annotate", "minerpool", POOL, PAUSED + "-")
    appliance.fleet.updated(NEW_IMAGE, MINERS - 1)
    print(f"upgrade of {MINERS - 1} miners: {time.monotonic() - began:.0f} s")
    assert appliance.fleet.down_max <= 1
    assert appliance.fleet.disks() == disks
    assert appliance.fleet.plots() == plots  # none was made anew
    assert appliance.kept.items() <= appliance.fleet.kept().items()
    before, appliance.pods = appliance.pods, appliance.fleet.uids()
    assert not set(before.values()) & set(appliance.pods.values())
    until(lambda: appliance.earned_since(earned), "every miner earns on")


def test_then_every_program_is_of_todays_version(appliance: Appliance) -> None:
    programs = appliance.fleet.programs()
    assert len(programs) == 2 * (MINERS - 1) + 2
    assert len(set(programs.values())) == 1, programs
    assert appliance.earlier_program not in programs.values()


def test_a_client_of_today_stores_beside_the_earlier_one(appliance: Appliance) -> None:
    appliance.newcomer.arrive(NETWORK, NEW_IMAGE)
    assert appliance.customer.program() == appliance.earlier_program
    assert appliance.newcomer.program() in appliance.fleet.programs().values()
    appliance.newcomer.put()
    appliance.newcomer.keep_reading()


def test_helms_own_test_passes(appliance: Appliance) -> None:
    appliance.helm("test", "cybervein", *TIMEOUT)
    assert appliance.fleet.uids() == appliance.pods  # each was replaced once
    assert is_ready(appliance.fleet.pool())


def test_not_one_read_failed_until_the_uninstall(appliance: Appliance) -> None:
    for customer in (appliance.customer, appliance.newcomer):
        customer.stop_reading()
        assert [each.wrong for each in customer.failures()] == []
    reads = appliance.customer.reads()
    slowest = max(each.seconds for each in reads)
    print(f"{len(reads)} whole reads, the slowest {slowest:.1f} s")
    assert len(reads) > 10


def test_uninstall_leaves_data_and_nothing_stuck(appliance: Appliance) -> None:
    appliance.kept = appliance.fleet.kept()
    appliance.helm("uninstall", "cybervein", *WAIT)
    for kind in ("networks", "minerpools", "minerdisks", "statefulsets", "deployments"):
        until(
            lambda kind=kind: not appliance.api.list(kind),
            f"{kind} are gone",
            diagnose=appliance.fleet.describe,
        )
    until(lambda: not appliance.fleet.pods(), "pods are gone")
    assert appliance.fleet.kept() == appliance.kept
    assert appliance.kept


def test_installing_again_adopts_network_miners_and_files(appliance: Appliance) -> None:
    values = appliance.today()
    appliance.helm("install", "another-name", CHART, "--values", values, *WAIT)
    found = appliance.api.wait("network", NETWORK, is_ready, "is Ready")
    assert found["status"]["network"] == appliance.network
    appliance.fleet.ready(MINERS - 1)
    survived = {name: uid for name, uid in appliance.fleet.kept().items() if name in appliance.kept}
    assert survived == appliance.kept
    for customer in (appliance.customer, appliance.newcomer):
        customer.keep_reading()
        customer.stop_reading()
        wrong = [each.wrong for each in customer.failures()]
        assert wrong == [], appliance.fleet.describe()
