"""The pod of a super node: an init container founds what is not there yet, then it runs."""

from typing import Final

from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import Network, SuperNodeSpec
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import SuperNodeFacts
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.pod import (
    SECRET_MODE,
    base,
    claim_volume,
    container,
    given,
    image,
    mount,
    probe,
    resources,
    scratch,
    tolerations,
)

HTTPS_PORT: Final = 7700
DATA_DIR: Final = "/var/lib/cybervein"
TLS_DIR: Final = "/etc/cybervein/tls"
_REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}


def node_of(network: Network) -> SuperNodeSpec:
    """The super node that the spec asks for. Raises MalformedError for a joined network."""
    if network.spec.super_node is None:
        raise MalformedError(
            f"Network {network.metadata.name} joins a network and has no super node here; "
            "expected spec.superNode"
        )
    return network.spec.super_node


def url(network: Network) -> str:
    """The URL that is founded and published."""
    name = names.super_node(network.metadata.name)
    inside = f"https://{name}.{network.metadata.namespace}.svc:{HTTPS_PORT}"
    return node_of(network).url or inside


def spec(network: Network, facts: SuperNodeFacts) -> Object:
    """The pod's spec."""
    node = node_of(network)
    return (
        base(image_pull_secrets=network.spec.image_pull_secrets or facts.pull_secrets)
        | given(nodeSelector=node.node_selector, tolerations=tolerations(node.tolerations))
        | {
            "initContainers": [_container(network, facts, "found", _founding(network, facts))],
            "containers": [_super_node(network, facts)],
            "volumes": _volumes(network),
        }
    )


def _founding(network: Network, facts: SuperNodeFacts) -> list[str]:
    """`cybervein supernode init`: does nothing where the network exists."""
    funds = [f"{each.address}={each.veins}" for each in node_of(network).funds or ()]
    epoch = network.spec.epoch_seconds
    return [
        *("supernode", "init", "--if-absent", "--data", DATA_DIR),
        *("--preset", str(network.spec.preset)),
        *(() if epoch is None else ("--epoch-seconds", str(epoch))),
        *("--url", url(network)),
        *(("--ca", f"{TLS_DIR}/ca.crt") if facts.private_authority else ()),
        *(text for fund in funds for text in ("--fund", fund)),
    ]


def _super_node(network: Network, facts: SuperNodeFacts) -> Object:
    running = [
        *("supernode", "run", "--data", DATA_DIR),
        *("--host", "0.0.0.0", "--port", str(HTTPS_PORT)),  # noqa: S104 -- inside a pod
        *("--tls-cert", f"{TLS_DIR}/tls.crt", "--tls-key", f"{TLS_DIR}/tls.key"),
        *("--url", url(network)),
        "--log-json",
    ]
    secure = {"port": "https", "scheme": "HTTPS"}
    return _container(network, facts, "supernode", running) | {
        "ports": [{"name": "https", "containerPort": HTTPS_PORT, "protocol": "TCP"}],
        # A long chain is replayed before anything is answered.
        "startupProbe": probe("/healthz", period=5, failures=720, **secure),
        "readinessProbe": probe("/readyz", period=10, failures=3, **secure),
        "livenessProbe": probe("/healthz", period=20, failures=6, **secure),
    }


def _container(network: Network, facts: SuperNodeFacts, name: str, args: list[str]) -> Object:
    needs = resources(node_of(network).resources, _REQUESTS)
    mounts = [mount("data", DATA_DIR), mount("tls", TLS_DIR, read_only=True)]
    return container(name, image(network.spec, facts.image), args, needs, mounts)


def _volumes(network: Network) -> list[Object]:
    claim = node_of(network).storage.existing_claim
    secret = {"secretName": names.super_node_tls(network), "defaultMode": SECRET_MODE}
    return [
        claim_volume("data", claim or names.super_node_claim(network.metadata.name)),
        {"name": "tls", "secret": secret},
        scratch("tmp"),
    ]
