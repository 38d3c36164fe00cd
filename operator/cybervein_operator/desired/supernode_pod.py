"""The pod of a super node: an init container founds what is not there yet, then it runs.

What was founded once is pinned in ConfigMap NET-network, which the init container sees from then
on: with an empty volume it refuses. So a lost claim is never another network.
"""

from collections.abc import Sequence
from typing import Final

from cybervein_protocol.errors import MalformedError

from cybervein_operator.api import Network, SuperNodeSpec
from cybervein_operator.desired import names, supernode_backup
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
PINNED_DIR: Final = "/etc/cybervein/pinned"
IDENTITY_DIR: Final = "/etc/cybervein/identity"
_LAST_WORDS: Final = {"terminationMessagePolicy": "FallbackToLogsOnError"}
"""What a refusal said is in the pod's status, where the operator reads it."""
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
            "initContainers": [*_restoring(network, facts), _founder(network, facts)],
            "containers": [_super_node(network, facts)],
            "volumes": _volumes(network, facts),
        }
    )


def _founder(network: Network, facts: SuperNodeFacts) -> Object:
    made = _container(network, facts, "found", _founding(network, facts), _given_mounts(facts))
    # As environment: an earlier release, named by spec.image, knows no such options.
    known = {"CYBERVEIN_PINNED_NETWORK": f"{PINNED_DIR}/{names.NETWORK_KEY}"}
    key = {"CYBERVEIN_FOUNDING_KEY": f"{IDENTITY_DIR}/{names.IDENTITY_KEY}"}
    given_here = known | (key if facts.identity else {})
    env = [{"name": name, "value": value} for name, value in given_here.items()]
    return made | _LAST_WORDS | {"env": env}


def _restoring(network: Network, facts: SuperNodeFacts) -> list[Object]:
    """`cybervein supernode restore`: does nothing where there is a ledger."""
    planned = supernode_backup.recovery(network)
    if planned is None:
        return []
    wish, keeping = planned
    key = ("--identity", f"{IDENTITY_DIR}/{names.IDENTITY_KEY}") if facts.identity else ()
    line = [
        *("supernode", "restore", keeping.target, "--if-absent", "--data", DATA_DIR),
        *("--snapshot", wish.snapshot, "--network", f"{PINNED_DIR}/{names.NETWORK_KEY}"),
        *key,
    ]
    mounts = [*_given_mounts(facts), *keeping.mounts]
    made = _container(network, facts, "restore", line, mounts)
    return [made | _LAST_WORDS | given(env=list(keeping.env))]


def _given_mounts(facts: SuperNodeFacts) -> list[Object]:
    """What the volume's contents are held against."""
    pinned = mount("pinned", PINNED_DIR, read_only=True)
    return [pinned, *([mount("identity", IDENTITY_DIR, read_only=True)] if facts.identity else [])]


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
        *(text for each in node_of(network).free_from for text in ("--free-from", each)),
        "--log-json",
        *supernode_backup.arguments(network),
    ]
    secure = {"port": "https", "scheme": "HTTPS"}
    planned = supernode_backup.backup(network)
    mounts, env = (planned[1].mounts, planned[1].env) if planned else ((), ())
    made = _container(network, facts, "supernode", running, mounts) | given(env=list(env))
    return made | {
        "ports": [{"name": "https", "containerPort": HTTPS_PORT, "protocol": "TCP"}],
        # A long chain is replayed before anything is answered.
        "startupProbe": probe("/healthz", period=5, failures=720, **secure),
        "readinessProbe": probe("/readyz", period=10, failures=3, **secure),
        "livenessProbe": probe("/healthz", period=20, failures=6, **secure),
    }


def _container(
    network: Network,
    facts: SuperNodeFacts,
    name: str,
    args: list[str],
    more: Sequence[Object] = (),
) -> Object:
    needs = resources(node_of(network).resources, _REQUESTS)
    mounts = [mount("data", DATA_DIR), mount("tls", TLS_DIR, read_only=True), *more]
    return container(name, image(network.spec, facts.image), args, needs, mounts)


def _volumes(network: Network, facts: SuperNodeFacts) -> list[Object]:
    claim = node_of(network).storage.existing_claim
    name = network.metadata.name
    keys = {"secretName": names.super_node_identity(name), "defaultMode": SECRET_MODE}
    # Optional: there is none before the network was founded.
    pinned = {"name": names.network_file(name), "optional": True}
    return [
        claim_volume("data", claim or names.super_node_claim(name)),
        {"name": "tls"} | _certificate(network),
        {"name": "pinned", "configMap": pinned},
        *([{"name": "identity", "secret": keys}] if facts.identity else []),
        *supernode_backup.volumes(network),
        scratch("tmp"),
    ]


def _certificate(network: Network) -> Object:
    """`tls.crt`, `tls.key` and a private authority's `ca.crt`, from wherever they lie."""
    own, mode = node_of(network).tls, {"defaultMode": SECRET_MODE}
    if own is None:
        files = ("tls.crt", "tls.key", "ca.crt")
        items = [
            {"key": names.tls_key(network.metadata.name, each), "path": each} for each in files
        ]
        return {"secret": {"secretName": names.TLS_SECRET, "items": items} | mode}
    if own.ca_config_map is None:
        return {"secret": {"secretName": own.secret_name} | mode}
    return {
        "projected": {
            "sources": [
                {"secret": {"name": own.secret_name, "items": _as_they_are("tls.crt", "tls.key")}},
                {"configMap": {"name": own.ca_config_map, "items": _as_they_are("ca.crt")}},
            ]
        }
        | mode
    }


def _as_they_are(*files: str) -> list[Object]:
    return [{"key": each, "path": each} for each in files]
