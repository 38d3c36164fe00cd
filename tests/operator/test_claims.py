"""Claims on a real API server: growth that a class refuses, the way back, deletion in use."""

from collections.abc import Iterator

import pytest
from cluster.rest import Object
from operator_lab import API, Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes


def words(found: Object, kind: str = "Degraded") -> str:
    """The message of a condition that is True."""
    for each in found.get("status", {}).get("conditions", []):
        if each["type"] == kind and each["status"] == "True":
            return str(each["message"])
    return ""


@pytest.fixture
def fixed(lab: Lab) -> Iterator[str]:
    """A class whose claims cannot grow, with a volume made by hand for the one disk of home-0."""
    name = f"fixed-{lab.namespace}"
    meta = {"name": f"{lab.namespace}-home-0-a"}
    lab.cluster.api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "kubernetes.io/no-provisioner",
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": meta,
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": name,
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": lab.namespace, "name": "home-0-a"},
                "hostPath": {"path": "/nowhere/home-0-a"},
            },
        },
    )
    yield name
    lab.cluster.api.delete("pv", meta["name"], wait=False)
    lab.cluster.api.delete("storageclass", name)


def sized(lab: Lab, size: str, storage_class: str, **spec: object) -> None:
    template = {"size": size, "storageClassName": storage_class}
    lab.pool(replicas=1, disks=[{"name": "a", "claimTemplate": template}], **spec)


def says(lab: Lab, *texts: str, kind: str = "Degraded") -> Object:
    """The pool once that condition is True and has these words."""
    return lab.wait(
        "minerpool",
        "home",
        lambda seen: all(each in (words(seen, kind) or "-") for each in texts),
        f"is {kind}: {texts}",
    )


def test_a_growth_that_the_class_refuses_is_told_and_stops_nothing(lab: Lab, fixed: str) -> None:
    lab.join()
    sized(lab, "1Gi", fixed)
    lab.ready("home", 1)
    sized(lab, "2Gi", fixed)
    found = says(lab, "claim home-0-a has 1Gi, the spec asks for 2Gi", "no allowVolumeExpansion")
    assert condition(found, "Degraded") == ("True", "ClaimCannotGrow")
    assert condition(lab.ready("home", 1), "Ready")[0] == "True"

    sized(lab, "2Gi", fixed, bandwidth="10Mi")  # a later change is made all the same
    lab.wait(
        "statefulset",
        "home-0",
        lambda seen: "--bandwidth" in seen["spec"]["template"]["spec"]["containers"][0]["args"],
        "has the cap",
    )

    lab.process.kill()  # another operator, which may not ask the class: the API server's words
    lab.kubectl("delete", "clusterrolebinding", f"cybervein-cybervein-operator-{lab.namespace}")
    lab.api.patch("minerpool", "home", {"status": {"conditions": []}}, subresource="status")
    lab.start()
    says(lab, "has 1Gi, the spec asks for 2Gi", "only dynamically provisioned pvc can be resized")

    sized(lab, "1Gi", fixed, bandwidth="10Mi")
    lab.wait("minerpool", "home", lambda seen: not words(seen), "is well again")
    sized(lab, "512Mi", fixed, bandwidth="10Mi")
    found = says(lab, "claim home-0-a has 1Gi, the spec asks for 512Mi", "nothing was changed")
    assert condition(found, "Degraded") == ("True", "ClaimLarger")


def asked(claim: Object) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def test_a_growth_is_followed_and_one_that_hangs_is_taken_back(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1, state={"size": "1Gi"})
    lab.ready("home", 1)
    lab.pool(replicas=1, state={"size": "4Gi"})
    lab.wait("pvc", "home-0-state", lambda seen: asked(seen) == "4Gi", "asks for more")
    says(lab, "claim home-0-state grows from 1Gi to 4Gi", kind="Progressing")
    lab.pool(replicas=1, state={"size": "2Gi"})
    lab.wait("pvc", "home-0-state", lambda seen: asked(seen) == "2Gi", "asks for less again")

    pending = {
        "type": "FileSystemResizePending",
        "status": "True",
        "message": "waits for a node",
        "lastTransitionTime": "2026-11-30T00:00:00Z",
    }
    lab.api.patch(
        "pvc", "home-0-state", {"status": {"conditions": [pending]}}, subresource="status"
    )
    found = says(lab, "the file system follows: waits for a node", kind="Progressing")
    assert condition(found, "Progressing") == ("True", "ClaimGrows")
    assert condition(found, "Degraded")[0] == "False"
    grown = {"conditions": [], "capacity": {"storage": "2Gi"}}
    lab.api.patch("pvc", "home-0-state", {"status": grown}, subresource="status")
    lab.wait(
        "minerpool", "home", lambda seen: condition(seen, "Progressing")[1] == "Settled", "settled"
    )


def warned(lab: Lab, kind: str, name: str, claim: str) -> str:
    """Delete a claim in use, and wait for the warning; returns its volume."""
    lab.api.delete("pvc", claim, wait=False)
    found = lab.wait(
        kind,
        name,
        lambda seen: condition(seen, "Degraded") == ("True", "ClaimTerminating"),
        "warns",
    )
    left = lab.api.get("pvc", claim)
    assert left is not None
    volume = str(left["spec"]["volumeName"])
    assert f"claim {claim} is being deleted" in words(found)
    assert f"kubectl patch pv {volume} -p" in words(found)
    assert condition(found, "Ready")[0] == "True"
    until(lambda: "ClaimTerminating" in lab.events(name), "an event warns, too")
    return volume


def test_a_claim_that_is_deleted_in_use_is_warned_of(lab: Lab) -> None:
    lab.super_node("own")
    spec: Object = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    theirs: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    lab.api.apply(
        {"apiVersion": API, "kind": "Network", "metadata": {"name": "own"}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "bay-1"},
            "spec": theirs,
        },
    )
    disks = [{"name": "a", "existingClaims": ["bay-1"]}]
    lab.pool(replicas=1, networkRef={"name": "own"}, disks=disks)
    lab.ready("home", 1)
    lab.wait("network", "own", lambda seen: condition(seen, "Ready")[0] == "True", "is Ready")
    warned(lab, "minerpool", "home", "bay-1")
    warned(lab, "network", "own", "own-supernode-data")


def test_what_the_page_says_binds_its_volume_again(lab: Lab, fixed: str) -> None:
    lab.join()
    sized(lab, "1Gi", fixed)
    lab.ready("home", 1)
    volume = warned(lab, "minerpool", "home", "home-0-a")
    before = lab.api.get("pvc", "home-0-a")
    assert before is not None
    lab.kubectl("patch", "pv", volume, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}')
    lab.kubectl("annotate", "minerpool", "home", "cybervein.io/paused=true")
    lab.api.delete("pod", "home-0-0", wait=False)
    lab.api.wait_gone("pvc", "home-0-a", before["metadata"]["uid"])
    free = '[{"op":"remove","path":"/spec/claimRef/uid"}]'
    lab.kubectl("patch", "pv", volume, "--type", "json", "-p", free)
    lab.kubectl("annotate", "minerpool", "home", "cybervein.io/paused-")
    after = lab.wait(
        "pvc", "home-0-a", lambda seen: seen["status"]["phase"] == "Bound", "is bound again"
    )
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["volumeName"] == volume
    lab.wait("minerpool", "home", lambda seen: condition(seen, "Degraded")[0] == "False", "is well")


def test_a_super_nodes_claim_that_cannot_grow_is_told(lab: Lab) -> None:
    lab.super_node("own")

    def network(size: str) -> None:
        spec = {"preset": "test", "superNode": {"storage": {"size": size}}}
        meta = {"name": "own"}
        lab.api.apply({"apiVersion": API, "kind": "Network", "metadata": meta, "spec": spec})

    network("2Gi")
    lab.wait("network", "own", lambda seen: condition(seen, "Ready")[0] == "True", "is Ready")
    lab.wait("pvc", "own-supernode-data", lambda seen: seen["status"]["phase"] == "Bound", "bound")
    network("1Gi")
    found = lab.wait(
        "network", "own", lambda seen: condition(seen, "Degraded")[1] == "ClaimLarger", "says so"
    )
    assert "claim own-supernode-data has 2Gi, the spec asks for 1Gi" in words(found)
    assert condition(found, "Ready")[0] == "True"
    network("2Gi")
    lab.wait("network", "own", lambda seen: condition(seen, "Degraded")[0] == "False", "is well")
