"""What a person can get wrong shows in conditions, and goes away when it is put right."""

import pytest
from cluster.rest import Object
from operator_lab import API, Lab, condition

pytestmark = pytest.mark.kubernetes


def degraded(lab: Lab, pool: str, reason: str) -> Object:
    return lab.wait(
        "minerpool",
        pool,
        lambda found: condition(found, "Degraded") == ("True", reason),
        f"is Degraded: {reason}",
    )


def test_a_pool_without_its_network_waits_for_it(lab: Lab) -> None:
    lab.pool(replicas=1)
    found = degraded(lab, "home", "NetworkNotFound")
    assert found["status"]["replicas"] == 0
    lab.join()
    lab.ready("home", 1)


def test_a_network_file_that_is_missing_or_damaged_is_named(lab: Lab) -> None:
    node = lab.super_node("net")
    spec = {"join": {"configMap": "net-file"}}
    lab.api.apply({"apiVersion": API, "kind": "Network", "metadata": {"name": "net"}, "spec": spec})
    lab.wait(
        "network",
        "net",
        lambda found: condition(found, "Degraded")[1] == "NetworkFileMissing",
        "says what is missing",
    )
    file: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "net-file"}}
    lab.api.apply(file | {"data": {"network.json": "{}"}})
    lab.wait(
        "network",
        "net",
        lambda found: condition(found, "Degraded")[1] == "NetworkFileInvalid",
        "says that it is damaged",
    )
    lab.api.apply(file | {"data": {"network.json": node.document.decode()}})
    lab.wait("network", "net", lambda found: condition(found, "Ready")[0] == "True", "is Ready")


def test_a_file_of_another_preset_than_expected_is_not_joined(lab: Lab) -> None:
    node = lab.super_node("net")
    file = {"network.json": node.document.decode()}
    lab.api.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "net-file"}, "data": file},
        {
            "apiVersion": API,
            "kind": "Network",
            "metadata": {"name": "net"},
            "spec": {"preset": "main", "join": {"configMap": "net-file"}},
        },
    )
    found = lab.wait(
        "network",
        "net",
        lambda seen: condition(seen, "Degraded") == ("True", "PresetDiffers"),
        "says that it is another",
    )
    assert condition(found, "Ready") == ("False", "PresetDiffers")
    assert "is of preset test, expected main" in condition_message(found, "Ready")
    assert lab.api.get("configmap", "net-network") is None


def test_another_network_under_the_same_name_is_refused(lab: Lab) -> None:
    first = lab.join()
    lab.wait("network", "net", lambda found: condition(found, "Ready")[0] == "True", "is Ready")
    other = lab.super_node("other")
    lab.api.patch("configmap", "net-file", {"data": {"network.json": other.document.decode()}})
    lab.wait(
        "network",
        "net",
        lambda found: condition(found, "Degraded")[1] == "NetworkChanged",
        "is NetworkChanged",
    )
    pinned = lab.api.get("configmap", "net-network")
    assert pinned is not None
    assert first.network in pinned["data"]["network.json"]
    lab.api.patch("configmap", "net-file", {"data": {"network.json": first.document.decode()}})
    lab.wait("network", "net", lambda found: condition(found, "Ready")[0] == "True", "is Ready")


def test_a_storage_class_that_does_not_exist_is_named_until_it_does(lab: Lab) -> None:
    lab.join()
    name = f"late-{lab.namespace}"
    disks = [{"name": "a", "claimTemplate": {"size": "1Gi", "storageClassName": name}}]
    lab.pool(replicas=1, disks=disks)
    found = degraded(lab, "home", "StorageClassMissing")
    assert name in condition_message(found, "Degraded")
    real = lab.api.list("storageclasses")[0]
    lab.api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": real["provisioner"],
            "volumeBindingMode": real["volumeBindingMode"],
        }
    )
    lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Degraded")[1] != "StorageClassMissing",
        "has its class",
    )


@pytest.mark.parametrize("mode", ["Immediate", "WaitForFirstConsumer"])
def test_waiting_for_volumes_is_no_trouble_as_long_as_they_come(lab: Lab, mode: str) -> None:
    lab.join()
    name = f"slow-{lab.namespace}"
    lab.api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": mode,
        }
    )
    size = {"size": "1Gi", "storageClassName": name}
    lab.pool(replicas=1, state=size, disks=[{"name": "a", "claimTemplate": size}])
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: reasons(pool) == ["WaitingForVolumes"],
        "waits for its volumes",
    )
    assert condition(found, "Progressing") == ("True", "Starting")
    assert condition(found, "Degraded") == ("False", "AsExpected")
    volumes = [volume(lab.namespace, each, name) for each in ("home-0-state", "home-0-a")]
    lab.cluster.api.apply(*volumes)
    try:
        lab.ready("home", 1)
        assert "Unschedulable" not in lab.events("home")
    finally:
        for each in volumes:  # they go with their claims
            lab.cluster.api.delete("pv", each["metadata"]["name"], wait=False)


def reasons(pool: Object) -> list[str]:
    return [each["reason"] for each in pool.get("status", {}).get("attention", [])]


def volume(namespace: str, claim: str, storage_class: str) -> Object:
    """As somebody makes one by hand, for that claim."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{claim}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": namespace, "name": claim},
            "hostPath": {"path": f"/nowhere/{claim}"},
        },
    }


def test_the_younger_of_two_pools_with_the_same_claim_is_refused(lab: Lab) -> None:
    lab.join()
    disks = [{"name": "a", "existingClaims": ["bay-1"]}]
    lab.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "bay-1"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    lab.pool("elder", replicas=1, disks=disks)
    lab.ready("elder", 1)
    lab.pool("younger", replicas=1, disks=disks)
    found = degraded(lab, "younger", "Conflict")
    assert "elder" in condition_message(found, "Degraded")
    assert lab.api.get("statefulset", "younger-0") is None
    lab.ready("elder", 1)
    lab.api.delete("minerpool", "elder")
    lab.ready("younger", 1)


def test_somebody_elses_object_of_our_name_is_not_touched(lab: Lab) -> None:
    lab.join()
    service = {"ports": [{"port": 1}], "selector": {"app": "theirs"}}
    lab.api.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "home-0"}, "spec": service}
    )
    lab.pool(replicas=1)
    degraded(lab, "home", "Conflict")
    theirs = lab.api.get("service", "home-0")
    assert theirs is not None
    assert theirs["spec"]["selector"] == {"app": "theirs"}
    lab.api.delete("service", "home-0")
    lab.ready("home", 1)


def test_host_paths_need_a_namespace_that_allows_them(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1, disks=[{"name": "a", "hostPath": "/srv/disk"}])
    degraded(lab, "home", "HostAccessDenied")
    assert lab.api.get("statefulset", "home-0") is None
    lab.cluster.kubectl(
        "label",
        "--overwrite",
        "namespace",
        lab.namespace,
        "cybervein.io/host-access=allowed",
        "pod-security.kubernetes.io/enforce=privileged",
    )
    lab.ready("home", 1)


def test_a_paused_pool_is_looked_at_and_left_alone(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    lab.kubectl("annotate", "minerpool", "home", "cybervein.io/paused=true")
    lab.kubectl("scale", "minerpool", "home", "--replicas=3")
    lab.wait(
        "minerpool", "home", lambda pool: pool["status"]["phases"].get("Pending") == 2, "sees it"
    )
    assert lab.api.get("statefulset", "home-1") is None
    lab.kubectl("annotate", "minerpool", "home", "cybervein.io/paused-")
    lab.ready("home", 3)


def condition_message(found: Object, kind: str) -> str:
    for each in found["status"]["conditions"]:
        if each["type"] == kind:
            return str(each["message"])
    return ""
