"""A network that is founded here: certificates, the super node, and the file that pins it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cybervein_operator.authority import make_authority, make_server, stale
from operator_lab import API, Lab, condition
from waiting import until


def found(lab: Lab, **node: object) -> None:
    lab.api.apply(
        {
            "apiVersion": API,
            "kind": "Network",
            "metadata": {"name": "own"},
            "spec": {
                "preset": "test",
                "superNode": {"storage": {"size": "1Gi"}, **node},
            },
        }
    )


def certificate(lab: Lab) -> x509.Certificate:
    return x509.load_pem_x509_certificate(held(lab, "own.tls.crt"))


def held(lab: Lab, key: str) -> bytes:
    """A file of the Secret that has what belongs to networks."""
    secret = lab.api.get("secret", "cybervein-operator-tls")
    assert secret is not None
    return base64.b64decode(secret["data"][key])


def names(lab: Lab) -> list[str]:
    value = certificate(lab).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(value.get_values_for_type(x509.DNSName))


@pytest.mark.kubernetes
def test_a_network_is_founded_and_its_file_pinned(lab: Lab) -> None:
    found(lab)
    lab.wait("statefulset", "own-supernode", lambda _: True, "is there")
    lab.wait("pvc", "own-supernode-data", lambda _: True, "is there")
    lab.wait("service", "own-supernode", lambda seen: seen["spec"]["ports"][0]["port"] == 7700, "")
    network = lab.wait("network", "own", lambda seen: condition(seen, "Ready")[0] != "", "speaks")
    assert condition(network, "Ready") == ("False", "Founding")
    ca = x509.load_pem_x509_certificate(held(lab, "own.ca.crt"))
    certificate(lab).verify_directly_issued_by(ca)
    assert f"own-supernode.{lab.namespace}.svc" in names(lab)
    node = lab.super_node("own")
    found_network = lab.wait(
        "network", "own", lambda seen: condition(seen, "Ready")[0] == "True", "is Ready"
    )
    assert found_network["status"]["network"] == node.network
    file = lab.api.get("configmap", "own-network")
    assert file is not None
    assert node.network in file["data"]["network.json"]
    lab.pool(replicas=1, networkRef={"name": "own"})
    lab.ready("home", 1)


@pytest.mark.kubernetes
def test_a_new_host_name_makes_a_new_certificate_under_the_same_authority(lab: Lab) -> None:
    found(lab)
    lab.wait(
        "secret", "cybervein-operator-tls", lambda seen: "own.tls.crt" in seen["data"], "has it"
    )
    before, ca = certificate(lab), held(lab, "own.ca.key")
    found(lab, hosts=["mine.example"])
    until(lambda: "mine.example" in names(lab), "the name is in it")
    assert certificate(lab).serial_number != before.serial_number
    assert held(lab, "own.ca.key") == ca


@pytest.mark.kubernetes
def test_a_network_that_goes_leaves_its_data_and_keys(lab: Lab) -> None:
    found(lab)
    lab.super_node("own")
    lab.wait("configmap", "own-network", lambda _: True, "is pinned")
    lab.api.delete("network", "own")
    lab.api.wait_gone("statefulset", "own-supernode")
    for kind, name in (
        ("pvc", "own-supernode-data"),
        ("secret", "cybervein-operator-tls"),
        ("configmap", "own-network"),
    ):
        assert lab.api.get(kind, name) is not None, name


NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_certificate_is_renewed_a_month_before_it_ends_and_not_earlier() -> None:
    ca = make_authority("net", NOW)
    server = make_server(ca, ["a.example", "127.0.0.1"], NOW)
    hosts = ["127.0.0.1", "a.example"]
    assert stale(server.certificate, ca.certificate, hosts, NOW + timedelta(days=59)) == ""
    assert "ends" in stale(server.certificate, ca.certificate, hosts, NOW + timedelta(days=61))


def test_a_certificate_of_another_authority_or_none_is_replaced() -> None:
    ca, other = make_authority("net", NOW), make_authority("net", NOW)
    server = make_server(other, ["a"], NOW)
    assert "authority" in stale(server.certificate, ca.certificate, ["a"], NOW)
    assert "authority" in stale(b"nonsense", ca.certificate, ["a"], NOW)
    assert "names" in stale(
        make_server(ca, ["a"], NOW).certificate, ca.certificate, ["a", "b"], NOW
    )


def test_keys_are_not_shown() -> None:
    assert "PRIVATE" not in repr(make_authority("net", NOW))
