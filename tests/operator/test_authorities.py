"""Whose certificates a super node shows: made here, taken over from 0.2, or a person's own."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest
from cluster.rest import Object
from cybervein_operator.api import Network, parse
from cybervein_operator.authority import Pair, make_authority, stale
from cybervein_operator.reconcile.pinning import untrusted, vouched
from operator_lab import ACCOUNT, API, Lab, condition
from waiting import until

NOW = datetime.now(UTC)
TLS = "cybervein-operator-tls"
MAY_READ = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "resourceNames": ["own-ca"],
    "verbs": ["get"],
}


def network(**node: object) -> Object:
    spec = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}, **node}}
    return {"apiVersion": API, "kind": "Network", "metadata": {"name": "own"}, "spec": spec}


def degraded(found: Object) -> str:
    return condition(found, "Degraded")[1]


def early(authority: Pair) -> Object:
    """The Secret that release 0.2 kept an authority in."""
    files = {"ca.crt": authority.certificate.decode(), "ca.key": authority.key.decode()}
    meta = {"name": "own-ca"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": files}


def running() -> Object:
    """The super node as it was: without an authority a new pod would have no certificate."""
    labels = {"app.kubernetes.io/component": "supernode", "cybervein.io/network": "own"}
    ours = {"app.kubernetes.io/managed-by": ACCOUNT}
    container = {"name": "supernode", "image": "cybervein:0.2.0"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "own-supernode", "labels": labels | ours},
        "spec": {
            "replicas": 0,
            "serviceName": "own-supernode",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": pod,
        },
    }


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.mark.kubernetes
def test_the_authority_of_0_2_is_taken_over_once_it_may_be_read(
    make_lab: Callable[..., Lab],
) -> None:
    """Copies of the network's file are with customers: no other authority may take its place."""
    lab, authority = make_lab(), make_authority("own", NOW)
    lab.prepare()
    pem = authority.certificate
    file = vouched(lab.super_node("own").document.decode(), pem.decode())
    pinned = config_map("own-network", **{"network.json": file})
    lab.api.apply(early(authority), pinned, network(), running())
    with lab.started():
        lab.wait("network", "own", lambda seen: degraded(seen) == "AuthorityLost", "says it")
        assert lab.api.get("secret", TLS) is None
        kept = lab.api.get("statefulset", "own-supernode")
        assert kept is not None
        assert kept["spec"]["template"]["spec"]["containers"][0]["image"] == "cybervein:0.2.0"
        role = lab.api.get("role", ACCOUNT)
        assert role is not None
        lab.api.patch("role", ACCOUNT, {"rules": [*role["rules"], MAY_READ]})
        touches = count()

        def adopted() -> bool:
            """A change of any kind has it look again."""
            note = {"annotations": {"example.com/touched": str(next(touches))}}
            lab.api.patch("network", "own", {"metadata": note})
            return lab.api.get("secret", TLS) is not None

        until(adopted, "the authority is taken over")
        made = lab.wait("secret", TLS, lambda seen: "own.tls.crt" in seen["data"], "is whole")
        held = {key: base64.b64decode(value) for key, value in made["data"].items()}
        assert (held["own.ca.crt"], held["own.ca.key"]) == (pem, authority.key)
        assert stale(held["own.tls.crt"], pem, ["x"], NOW) == "its names have changed"
        lab.wait("network", "own", lambda seen: condition(seen, "Ready")[0] == "True", "is Ready")


@pytest.mark.kubernetes
def test_a_private_authority_of_ones_own_is_told_by_its_config_map(lab: Lab) -> None:
    pem = make_authority("ours", NOW).certificate.decode()
    lab.super_node("own")
    lab.api.apply(network(tls={"secretName": "cert", "caConfigMap": "ours"}))
    lab.wait("network", "own", lambda seen: degraded(seen) == "AuthorityMissing", "says it")
    lab.api.apply(config_map("ours", **{"ca.crt": pem}))
    lab.api.patch("network", "own", {"metadata": {"annotations": {"example.com/touched": "1"}}})
    file = lab.wait("configmap", "own-network", bool, "is pinned")
    assert file["data"]["ca.crt"] == pem
    pod = lab.wait("statefulset", "own-supernode", bool, "is there")["spec"]["template"]["spec"]
    assert "--ca" in pod["initContainers"][0]["args"]
    assert lab.api.get("secret", TLS) is None


def test_a_certificate_that_nobody_vouches_for_is_told_with_what_to_do() -> None:
    own = parse(Network, network(tls={"secretName": "cert"}))
    why = untrusted(own, "https://x:7700: its certificate is not trusted (unknown issuer)")
    assert why is not None
    assert why.reason == "CertificateNotTrusted"
    assert "superNode.tls.caConfigMap" in why.message
    assert untrusted(own, "https://x:7700: Connection refused") is None
    assert untrusted(parse(Network, network()), "its certificate is not trusted") is None


def test_a_file_keeps_the_authority_that_it_names() -> None:
    assert vouched('{"v":1,"ca":"first"}', "second") == '{"v":1,"ca":"first"}'
    assert '"ca": "second"' in vouched('{"v":1}', "second")
    assert vouched('{"v":1}', "") == '{"v":1}'
    assert vouched("no JSON", "second") == "no JSON"
