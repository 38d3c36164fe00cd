"""Each object on its own: what is refused of one is told and stops no other; some are made anew."""

from typing import Any

import pytest
from cluster.kubectl import KubectlError
from cluster.rest import Object
from operator_lab import API, Lab, condition, rights
from waiting import until

pytestmark = pytest.mark.kubernetes
SECOND_PORT = {"name": "shards", "port": 4200, "targetPort": "shards", "protocol": "TCP"}


def words(found: Object, kind: str = "Degraded") -> str:
    """The message of a condition that is True."""
    for each in found.get("status", {}).get("conditions", []):
        if each["type"] == kind and each["status"] == "True":
            return str(each["message"])
    return ""


def uid(lab: Lab, kind: str, name: str) -> str:
    found = lab.api.get(kind, name)
    assert found is not None
    return str(found["metadata"]["uid"])


def found_network(lab: Lab) -> None:
    spec: Object = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    lab.super_node("own")
    lab.api.apply({"apiVersion": API, "kind": "Network", "metadata": {"name": "own"}, "spec": spec})


def forbid(lab: Lab, resource: str, verb: str) -> None:
    """Take one verb out of the operator's Role."""
    role = next(each for each in rights(lab.namespace) if each["kind"] == "Role")
    for rule in role["rules"]:
        if rule["resources"] == [resource]:
            rule["verbs"] = [each for each in rule["verbs"] if each != verb]
    lab.api.apply(role)
    operator = f"--as=system:serviceaccount:{lab.namespace}:cybervein-operator"

    def denied() -> bool:
        try:
            return lab.kubectl("auth", "can-i", verb, resource, operator).strip() == "no"
        except KubectlError:  # its exit code says it too
            return True

    until(denied, f"it may no longer {verb} {resource}")


def test_a_refused_service_is_told_and_the_rest_goes_on(lab: Lab) -> None:
    found_network(lab)
    lab.pool(networkRef={"name": "own"})
    lab.ready("home", 1)
    forbid(lab, "services", "patch")
    before = {name: uid(lab, "statefulset", name) for name in ("home-0", "own-supernode")}
    for name, of in (("home-0", "minerpool"), ("own-supernode", "network")):
        lab.api.patch("service", name, {"spec": {"publishNotReadyAddresses": False}})
        found = lab.wait(
            of,
            {"minerpool": "home", "network": "own"}[of],
            lambda seen: condition(seen, "Degraded") == ("True", "Refused"),
            "says what is refused",
        )
        assert f"Service {name} is refused" in words(found)
        assert 'cannot patch resource "services"' in words(found)
        assert condition(found, "Ready")[0] == "True"
    for name, old in before.items():
        lab.api.delete("statefulset", name, wait=False)
        lab.wait(
            "statefulset", name, lambda seen, old=old: seen["metadata"]["uid"] != old, "is back"
        )
    lab.api.apply(*rights(lab.namespace))
    lab.pool(networkRef={"name": "own"}, rollout={"maxUnavailable": 2})
    lab.kubectl("annotate", "network", "own", "looked=anew")
    for kind, name in (("minerpool", "home"), ("network", "own")):
        lab.wait(kind, name, lambda seen: condition(seen, "Degraded")[0] == "False", "is well")
    found = lab.wait("service", "home-0", lambda seen: seen["spec"]["ports"], "is there")
    assert found["spec"]["publishNotReadyAddresses"] is True


def test_what_cannot_be_put_right_is_made_anew_and_told(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1, address={"type": "NodePort", "host": "h"})
    lab.ready("home", 1)
    service = lab.api.get("service", "home-0")
    assert service is not None
    known = service["spec"]["ports"][0]["nodePort"]

    lab.api.patch("service", "home-0", {"spec": {"ports": [SECOND_PORT | {"nodePort": known}]}})
    mended = lab.wait(
        "service", "home-0", lambda seen: ports(seen) == [4100], "has the miner's port alone"
    )
    assert mended["metadata"]["uid"] == service["metadata"]["uid"]
    assert mended["spec"]["clusterIP"] == service["spec"]["clusterIP"]
    assert mended["spec"]["ports"][0]["nodePort"] == known

    old = uid(lab, "pdb", "home")
    lab.api.patch("pdb", "home", {"spec": {"minAvailable": 1, "maxUnavailable": None}})
    lab.wait("pdb", "home", lambda seen: seen["spec"].get("maxUnavailable") == 1, "is ours again")
    assert uid(lab, "pdb", "home") != old
    until(lambda: lab.events("home").count("MadeAnew") == 2, "both are told")
    assert condition(lab.ready("home", 1), "Degraded")[0] == "False"


def ports(service: Object) -> list[int]:
    return [each["port"] for each in service["spec"]["ports"]]


def test_a_set_with_a_field_that_cannot_change_leaves_its_pod_to_the_next(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    lab.process.kill()
    found = lab.api.get("statefulset", "home-0")
    assert found is not None
    pod = uid(lab, "pod", "home-0-0")
    lab.kubectl("delete", "statefulset", "home-0", "--cascade=orphan")
    meta = found["metadata"]
    kept = {key: meta[key] for key in ("name", "labels", "annotations", "ownerReferences")}
    spec = found["spec"] | {"serviceName": "elsewhere"}
    lab.api.apply({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": kept, "spec": spec})
    lab.start()
    lab.wait(
        "statefulset", "home-0", lambda seen: seen["spec"]["serviceName"] == "home-0", "is ours"
    )
    until(lambda: "MadeAnew" in lab.events("home"), "it is told")
    lab.wait("pod", "home-0-0", lambda seen: seen["metadata"].get("ownerReferences"), "is adopted")
    assert uid(lab, "pod", "home-0-0") == pod


def test_a_claim_of_somebody_else_keeps_a_pod_from_it(lab: Lab) -> None:
    lab.join()
    theirs: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
    }
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "home-0-a"}}
    lab.api.apply(claim | {"spec": theirs})
    lab.pool(replicas=1)
    found = lab.wait(
        "minerpool", "home", lambda seen: condition(seen, "Degraded")[1] == "Conflict", "says so"
    )
    assert "PersistentVolumeClaim home-0-a exists and is not the operator's" in words(found)
    assert found["status"]["phases"] == {"Blocked": 1}
    lab.wait("service", "home-0", lambda seen: seen["spec"]["ports"], "is made all the same")
    assert lab.api.get("statefulset", "home-0") is None


def test_who_undoes_it_at_once_has_it_made_anew_once(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    damage: Object = {"spec": {"ports": [SECOND_PORT]}}
    lab.api.patch("service", "home-0", damage)
    lab.wait("service", "home-0", lambda seen: ports(seen) == [4100], "is put right once")
    until(lambda: "MadeAnew" in lab.events("home"), "it is told")
    lab.api.patch("service", "home-0", damage)
    found = lab.wait(
        "minerpool", "home", lambda seen: "managedFields" in words(seen), "says where to look"
    )
    assert condition(found, "Degraded") == ("True", "Refused")
    lab.api.delete("service", "home-0")
    lab.wait("service", "home-0", lambda seen: ports(seen) == [4100], "is there again")
    lab.wait("minerpool", "home", lambda seen: not words(seen), "is well")
