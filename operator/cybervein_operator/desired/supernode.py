"""Objects of a network whose super node runs here."""

import json
from collections.abc import Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit

from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import Network, SuperNodeSpec
from cybervein_operator.desired import names, supernode_backup, supernode_pod, template, wishes
from cybervein_operator.desired.facts import SuperNodeFacts
from cybervein_operator.desired.metadata import kept, owned
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.operator_secret import encoded
from cybervein_operator.desired.pod import claim, given
from cybervein_operator.desired.supernode_pod import HTTPS_PORT, node_of, url

__all__ = [
    "claims",
    "config_map",
    "hosts",
    "identity",
    "secret",
    "service",
    "statefulset",
    "url",
    "wrong",
]


def statefulset(network: Network, facts: SuperNodeFacts) -> Object:
    """StatefulSet of size one: founds the network at its first start, then runs it."""
    labels = names.super_node_labels(network)
    metadata = owned(
        network,
        names.super_node(network.metadata.name),
        labels | names.version_label(facts.version),
    )
    wish, selector = node_of(network).pod_template, names.super_node_selector(network)
    pod = wishes.pod(supernode_pod.spec(network, facts), wish, selector)
    return template.statefulset(metadata, wishes.metadata(labels, wish), selector, pod)


def service(network: Network) -> Object:
    """Where the super node is reached."""
    wish = node_of(network).service
    port = {"name": "https", "port": HTTPS_PORT, "targetPort": "https", "protocol": "TCP"}
    name = names.super_node(network.metadata.name)
    manifest: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": owned(network, name, names.super_node_labels(network)),
        "spec": {
            "type": str(wish.type),
            "publishNotReadyAddresses": True,
            "selector": names.super_node_selector(network),
            "ports": [port | given(nodePort=wish.node_port)],
        },
    }
    return wishes.service(manifest, wish)


def claims(network: Network) -> list[Object]:
    """The claims that the operator makes, unless existing ones are named. Kept."""
    wish = node_of(network).storage
    snapshots = supernode_backup.claims(network)
    if wish.size is None:
        return snapshots
    name = names.super_node_claim(network.metadata.name)
    metadata = kept(network, name, names.super_node_labels(network))
    return [claim(metadata, wish.size, wish.storage_class_name), *snapshots]


def identity(network: Network, document: bytes) -> Object:
    """Secret with the super node's keys, to be created and never touched again. Kept."""
    made = secret(
        network, names.super_node_identity(network.metadata.name), {names.IDENTITY_KEY: document}
    )
    return made | {"immutable": True}


def config_map(network: Network, document: str) -> Object:
    """`network.json` for miners and clients, its authority beside it. Kept: whoever mines needs it.

    Raises MalformedError if `document` is no JSON object.
    """
    name = names.network_file(network.metadata.name)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": kept(network, name, names.super_node_labels(network)),
        "data": {names.NETWORK_KEY: document}
        | given(**{names.AUTHORITY_KEY: _authority(document)}),
    }


def _authority(document: str) -> str:
    """The PEM certificates that `network.json` wants trusted; "" if it names none."""
    try:
        content = json.loads(document)
    except ValueError as error:
        raise MalformedError(
            f"{names.NETWORK_KEY} is no JSON ({error}); take it from the super node"
        ) from error
    if not isinstance(content, dict):
        raise MalformedError(f"{names.NETWORK_KEY} is no JSON object; take it from the super node")
    return str(content.get("ca") or "")


def secret(network: Network, name: str, data: Mapping[str, bytes]) -> Object:
    """A Secret of the network. Kept."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": kept(network, name, names.super_node_labels(network)),
        "type": "Opaque",
        "data": encoded(data),
    }


def wrong(network: Network) -> str:
    """What the super node could not start with and the API server cannot see, or ""."""
    for text in node_of(network).free_from:
        try:
            ip_network(text)
        except ValueError as error:
            return f"superNode.freeFrom: {error}; expected a network such as 10.42.0.0/16"
    return ""


def hosts(network: Network) -> list[str]:
    """Names and addresses that the certificate must hold, without repetition, sorted."""
    node: SuperNodeSpec = node_of(network)
    name, space = names.super_node(network.metadata.name), network.metadata.namespace
    inside = {name, f"{name}.{space}", f"{name}.{space}.svc", f"{name}.{space}.svc.cluster.local"}
    published = urlsplit(url(network)).hostname or ""
    return sorted({*inside, *node.hosts, published, "localhost", "127.0.0.1"} - {""})
