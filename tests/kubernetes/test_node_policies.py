"""NetworkPolicies, once the node enforces them, close what they should and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cluster.api import Api
from cluster.kubectl import KubectlError
from cluster.kwok import is_ready
from cluster.node.oci import write_image
from cluster.node.policy_rules import World, restore_text
from cluster.node.running import Node
from cluster.samples import Object, container
from cluster.tools import tool
from waiting import until

IMAGE = "localhost/answer:policies"
PORT = 8080
on_a_node = pytest.mark.node


def pod(name: str, **labels: str) -> Object:
    ports = [{"name": "web", "containerPort": PORT}]
    main = container(IMAGE, imagePullPolicy="Never", ports=ports)
    metadata = {"name": name, "labels": {"app": name, **labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [main]}}


def policy(name: str, **spec: Any) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "policies"},
        "spec": {"podSelector": {"matchLabels": {"app": "server"}}, **spec},
    }


@pytest.fixture(scope="module")
def asks(
    node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Api, Callable[[str], bool]]]:
    archive = write_image(tmp_path_factory.mktemp("image") / "answer.tar", tool("answer"))
    node.load(archive, IMAGE)
    node.cluster.make_namespace("policies")
    kubectl, api = node.cluster.kubectl.within("policies"), node.cluster.api.within("policies")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server"},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": PORT}]},
    }
    api.apply(pod("server"), pod("friend", role="friend"), pod("stranger"), service)
    for name in ("server", "friend", "stranger"):
        api.wait("pod", name, is_ready, "is Ready")

    def reaches(name: str) -> bool:
        try:
            said = kubectl(
                "exec", name, "--", "/answer", "http://server.policies.svc.cluster.local"
            )
        except KubectlError:
            return False
        return said.strip() == "server"

    until(lambda: reaches("friend") and reaches("stranger"), "both reach the server at first")
    node.policies.start()
    yield api, reaches
    node.policies.stop()
    api.delete("namespace", "policies", wait=False)


@on_a_node
def test_only_the_selected_peer_gets_in(
    asks: tuple[Api, Callable[[str], bool]], node: Node
) -> None:
    api, reaches = asks
    friends = [{"podSelector": {"matchLabels": {"role": "friend"}}}]
    rule = {"from": friends, "ports": [{"port": "web"}]}
    api.apply(policy("in", policyTypes=["Ingress"], ingress=[rule]))
    until(lambda: not reaches("stranger"), "the stranger is kept out")
    assert reaches("friend")
    api.delete("networkpolicy", "in")
    until(lambda: reaches("stranger"), "without the policy the stranger gets in")
    assert node.policies.problem is None


@on_a_node
def test_a_pod_that_may_call_nobody_finds_no_name_either(
    asks: tuple[Api, Callable[[str], bool]],
) -> None:
    api, reaches = asks
    strangers = {"matchLabels": {"app": "stranger"}}
    api.apply(policy("out", podSelector=strangers, policyTypes=["Egress"]))
    until(lambda: not reaches("stranger"), "the stranger gets nowhere")
    assert reaches("friend")
    ports = [{"port": 53, "protocol": "UDP"}, {"port": PORT}]
    api.apply(policy("names", podSelector=strangers, egress=[{"ports": ports}]))
    api.delete("networkpolicy", "out")
    until(lambda: reaches("stranger"), "with names and the server's port it gets through")


def test_rules_say_what_the_policies_say() -> None:
    server, friend = (
        {**pod(name), "status": {"podIP": ip}}
        for name, ip in (("server", "10.1.0.1"), ("friend", "10.1.0.2"))
    )
    for each in (server, friend):
        each["metadata"] |= {"namespace": "policies", "uid": each["metadata"]["name"]}
    block = {"ipBlock": {"cidr": "192.0.2.0/24"}}
    rule = {"from": [block, {"podSelector": {}}], "ports": [{"port": 1, "endPort": 9}]}
    world = World([policy("in", ingress=[rule])], [server, friend], {"policies": {}})
    passed = [line for line in restore_text(world).splitlines() if "dport" in line]
    assert [line.split(" ", 2)[2] for line in passed] == [
        "-s 192.0.2.0/24 -p tcp --dport 1:9 -j RETURN",
        "-s 10.1.0.1 -p tcp --dport 1:9 -j RETURN",
        "-s 10.1.0.2 -p tcp --dport 1:9 -j RETURN",
    ]
    assert restore_text(World([], [server], {})).count("REJECT") == 0
