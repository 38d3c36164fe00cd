"""docs/home-cluster.md as it is printed, on a real node with the storage of k3s and kind.

The steps are one story and run in this order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from appliance.customer import Customer
from appliance.fleet import Fleet
from appliance.values import NEW_IMAGE
from chart_helm import CHART, Helm
from cluster.api import Api
from cluster.kubectl import Kubectl
from cluster.kwok import is_ready
from cluster.node.running import Node
from cluster.rest import Object
from cybervein_runtime.identity import new_identity
from oci.archive import Archive
from waiting import until

pytestmark = pytest.mark.node
SPACE = "cybervein"
NETWORK = "home"
HOME = CHART / "values-home.yaml"
PLOTS_MAX = 80  # half of the 5 GiB that a disk of the home values asks for
VEINS = 10**15
DISK_BYTES = 5 << 30


@dataclass
class HomePC:
    """What the steps share."""

    node: Node
    api: Api
    kubectl: Kubectl
    helm: Helm
    customer: Customer
    fleet: Fleet

    def claims(self) -> list[Object]:
        """Every claim of the release."""
        return self.api.list("persistentvolumeclaims")

    def describe(self) -> str:
        """What a person would look at when it makes no progress."""
        return f"{self.node.local_path.tail()}\n{self.fleet.describe()}"


@pytest.fixture(scope="module")
def home(node: Node, image: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomePC]:
    node.containerd.ctr("images", "import", image.path)  # what `k3s ctr images import` runs
    node.local_path.start()
    api, kubectl = node.cluster.api.within(SPACE), node.cluster.kubectl.within(SPACE)
    helm = Helm(tmp_path_factory.mktemp("helm"), kubectl.kubeconfig, SPACE)
    yield HomePC(
        node, api, kubectl, helm, Customer(api, kubectl, new_identity()), Fleet(api, kubectl)
    )
    api.delete("namespace", SPACE, wait=False)
    node.local_path.stop()


def test_one_command_brings_a_network_and_its_miners(home: HomePC) -> None:
    fund = f"networks.{NETWORK}.superNode.funds[0]"
    home.helm(
        *("install", "cybervein", CHART, "--create-namespace", "--values", HOME),
        *("--set", f"{fund}.address={home.customer.address}", "--set", f"{fund}.veins={VEINS}"),
    )
    home.api.wait("network", NETWORK, is_ready, "is Ready")
    until(
        lambda: {p["metadata"]["name"] for p in home.fleet.pods()} >= {"pool-0-0", "pool-2-0"},
        "three miners are made",
        diagnose=home.describe,
    )


def test_it_scales_and_all_get_ready_on_volumes_of_local_path(home: HomePC) -> None:
    home.kubectl("scale", "minerpool/pool", "--replicas", "4")
    home.fleet.ready(4)
    classes = {each["spec"]["storageClassName"] for each in home.claims()}
    assert classes == {"local-path"}
    assert {each["status"]["phase"] for each in home.claims()} == {"Bound"}


def test_they_plot_no_more_than_they_asked_for_though_nothing_limits_them(home: HomePC) -> None:
    def plotted() -> bool:
        disks = home.api.list("minerdisks")
        return len(disks) == 4 and all(each["status"].get("plots", 0) for each in disks)

    until(plotted, "every miner has a plot", diagnose=home.describe)
    for pod in home.fleet.pods():
        arguments = pod["spec"]["containers"][0]["args"]
        assert int(arguments[arguments.index("--plots") + 1]) <= PLOTS_MAX


def test_a_file_is_put_and_got(home: HomePC) -> None:
    home.customer.arrive(NETWORK, NEW_IMAGE)
    home.customer.put()
    home.customer.keep_reading()
    home.customer.stop_reading()
    assert home.customer.failures() == []


def test_a_disk_is_as_large_as_its_claim_though_its_filesystem_is_larger(home: HomePC) -> None:
    disks = home.api.list("minerdisks")
    assert {each["status"]["bytesTotal"] for each in disks} == {DISK_BYTES}
    assert all(each["status"]["bytesFree"] < DISK_BYTES for each in disks)


def test_a_miner_whose_journal_is_lost_keeps_its_plots_and_shards(home: HomePC) -> None:
    """The claim of its journal is deleted. That plots count again, tests/miner waits for."""
    holders = until(lambda: holding(home), "a disk tells of a shard", diagnose=home.describe)
    name, pod = holders[0], f"{holders[0]}-0"
    claim, old = home.api.get("pvc", f"{name}-state"), home.api.get("pod", pod)
    assert claim is not None
    assert old is not None
    before, held = home.fleet.plots()[pod], holds(home, name)
    home.api.delete("pvc", f"{name}-state", wait=False)
    home.api.delete("pod", pod)
    home.api.wait("pvc", f"{name}-state", lambda now: another(now, claim), "is made again")
    home.api.wait("pod", pod, lambda now: another(now, old) and is_ready(now), "is back")
    home.fleet.ready(4)
    until(
        lambda: holds(home, name) == held and is_well(home, name),
        "its shards are held and nothing is wrong",
        diagnose=home.describe,
    )
    after = home.fleet.plots()[pod]
    assert before.items() & after.items(), "plots are taken in, not all made anew"


def another(now: Object, before: Object) -> bool:
    """Whether an object of the same name is another one."""
    return bool(now["metadata"]["uid"] != before["metadata"]["uid"])


def holding(home: HomePC) -> list[str]:
    """Miners whose disks hold shards."""
    disks = home.api.list("minerdisks")
    return [each["spec"]["miner"] for each in disks if each["status"].get("shards")]


def holds(home: HomePC, miner: str) -> int:
    """Shards that its disk holds, as its MinerDisk has it."""
    found = home.api.get("minerdisk", f"{miner}-disk1")
    assert found is not None
    return int(found["status"]["shards"])


def is_well(home: HomePC, miner: str) -> bool:
    """Whether the ledger knows the miner and it says that nothing is wrong."""
    port = "import json, urllib.request as u; print(u.urlopen("
    script = f"{port}'http://127.0.0.1:4100/v1/status').read().decode())"
    said = json.loads(
        home.kubectl("exec", f"{miner}-0", "-c", "miner", "--", "python3", "-S", "-c", script)
    )
    return bool(said["registered"] and not said["problem"] and not said["degraded"])


def test_helms_own_test_passes(home: HomePC) -> None:
    home.helm("test", "cybervein")
