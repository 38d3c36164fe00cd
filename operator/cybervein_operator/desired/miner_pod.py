"""The pod of a miner: the miner and its metrics sidecar."""

from typing import Final

from cybervein_operator.api import FailureDomain, MinerPool
from cybervein_operator.api.quantity import number
from cybervein_operator.desired import limits, names
from cybervein_operator.desired.address import HOST_IP, SHARDS_PORT, host_port
from cybervein_operator.desired.facts import DISKS_DIR, MinerFacts, Volume, volume_of
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
)
from cybervein_operator.desired.scheduling import scheduling

METRICS_PORT: Final = 9400
NETWORK_DIR: Final = "/etc/cybervein/network"
IDENTITY_DIR: Final = "/etc/cybervein/identity"
IDENTITY_FILE: Final = f"{IDENTITY_DIR}/{names.IDENTITY_KEY}"
STATE_DIR: Final = "/var/lib/cybervein/state"
NODE_NAME: Final = "NODE_NAME"
OWN_PAYOUT: Final = "CYBERVEIN_OWN_PAYOUT"

_START_LOOKS: Final = 720
"""Every five seconds: a miner that opens a hundred disks takes its time, an hour at the most."""
_MINER_REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}
_SIDECAR_REQUESTS: Final = {"cpu": "10m", "memory": "96Mi"}


def spec(pool: MinerPool, ordinal: int, facts: MinerFacts) -> Object:
    """The pod's spec."""
    volumes = _disks(pool, ordinal, facts)
    return (
        base(image_pull_secrets=pool.spec.image_pull_secrets or facts.pull_secrets)
        | scheduling(pool)
        | {
            "containers": [_miner(pool, ordinal, facts, volumes), _sidecar(pool, facts)],
            "volumes": _volumes(pool, ordinal, facts, volumes),
        }
    )


def _disks(pool: MinerPool, ordinal: int, facts: MinerFacts) -> list[Volume]:
    """Disks of the spec and those that leave, by name; one that came back counts once.

    In that order, whatever the spec's: a disk that is taken out of its middle stays where it is in
    the pod, which is replaced once, when the disk is drained.
    """
    volumes = {each.name: each for each in facts.leaving}
    for disk in pool.spec.disks:
        volumes[disk.name] = volume_of(pool.metadata.name, ordinal, disk)
    return [volumes[name] for name in sorted(volumes)]


def _miner(pool: MinerPool, ordinal: int, facts: MinerFacts, volumes: list[Volume]) -> Object:
    port = {"name": "shards", "containerPort": SHARDS_PORT, "protocol": "TCP"}
    needs = resources(pool.spec.resources.miner, _MINER_REQUESTS)
    args, mounts = arguments(pool, ordinal, facts, volumes), _mounts(volumes)
    if limits.apply_to(pool):
        mounts.append(limits.mount())
    return container("miner", image(pool.spec, facts.image), args, needs, mounts) | {
        "env": [
            _from_node(NODE_NAME, "spec.nodeName"),
            _from_node(HOST_IP, "status.hostIP"),
            *_own_payout(pool),
            *([limits.variable()] if limits.apply_to(pool) else ()),
        ],
        "ports": [port | given(hostPort=host_port(pool.spec.address, ordinal))],
        "startupProbe": probe("/startupz", "shards", period=5, failures=_START_LOOKS),
        "readinessProbe": probe("/readyz", "shards", period=10, failures=3),
        "livenessProbe": probe("/healthz", "shards", period=20, failures=6),
    }


def arguments(pool: MinerPool, ordinal: int, facts: MinerFacts, volumes: list[Volume]) -> list[str]:
    """`cybervein mine` with everything that the spec says."""
    plots = pool.spec.plots
    options = {
        "--network": f"{NETWORK_DIR}/{names.NETWORK_KEY}",
        "--identity": IDENTITY_FILE,
        "--data": STATE_DIR,
        "--host": "0.0.0.0",  # noqa: S104 -- inside a pod
        "--port": SHARDS_PORT,
        "--url": facts.url,
        "--control": facts.control,
        "--group": group(pool, ordinal),
        "--owner": pool.spec.owner or facts.owner,
        "--fill": f"{plots.fill / 1000:.3f}" if plots.count is None else None,
        "--plots": plots.count,
        "--floor": None if plots.floor is None else number(plots.floor),
        "--plot-threads": plots.threads,
        "--bandwidth": None if pool.spec.bandwidth is None else number(pool.spec.bandwidth),
        "--payout": pool.spec.payout,
    }
    disks = [f"{DISKS_DIR}/{each.name}" for each in volumes]
    flat = [
        text for key, value in options.items() if value is not None for text in (key, str(value))
    ]
    return ["mine", *flat, *(text for disk in disks for text in ("--disk", disk)), "--log-json"]


def _own_payout(pool: MinerPool) -> list[Object]:
    """A spec says all: without `payout` each miner is paid itself, whoever was before.

    A variable, as an image of an earlier release does not know the option.
    """
    return [{"name": OWN_PAYOUT, "value": "true"}] if pool.spec.payout is None else []


def group(pool: MinerPool, ordinal: int) -> str:
    """What fails together with this miner; the kubelet fills in the node's name."""
    if pool.spec.group is not None:
        return pool.spec.group
    if pool.spec.failure_domain is FailureDomain.MINER:
        return names.miner(pool.metadata.name, ordinal)
    return f"$({NODE_NAME})"


def _sidecar(pool: MinerPool, facts: MinerFacts) -> Object:
    args = [
        "sidecar",
        *("--miner", f"http://127.0.0.1:{SHARDS_PORT}"),
        *("--network", f"{NETWORK_DIR}/{names.NETWORK_KEY}"),
        *("--supernode", facts.network.url),
        *("--host", "0.0.0.0"),  # noqa: S104 -- inside a pod
        *("--port", str(METRICS_PORT)),
        "--log-json",
    ]
    needs = resources(pool.spec.resources.sidecar, _SIDECAR_REQUESTS)
    mounts = [mount("network", NETWORK_DIR, read_only=True)]
    return container("sidecar", image(pool.spec, facts.image), args, needs, mounts) | {
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
        # Started when the miner has answered once; it may take as long as the miner may.
        "startupProbe": probe("/startupz", "metrics", period=5, failures=_START_LOOKS),
        # No readiness probe: a pod whose metrics fail still serves shards.
        "livenessProbe": probe("/healthz", "metrics", period=20, failures=6),
    }


def _mounts(volumes: list[Volume]) -> list[Object]:
    return [
        mount("network", NETWORK_DIR, read_only=True),
        mount("identity", IDENTITY_DIR, read_only=True),
        mount("state", STATE_DIR),
        *(mount(f"disk-{each.name}", f"{DISKS_DIR}/{each.name}") for each in volumes),
    ]


def _volumes(
    pool: MinerPool, ordinal: int, facts: MinerFacts, volumes: list[Volume]
) -> list[Object]:
    name = pool.metadata.name
    secret = {"secretName": names.identity(name, ordinal), "defaultMode": SECRET_MODE}
    return [
        {"name": "network", "configMap": {"name": facts.network.config_map}},
        {"name": "identity", "secret": secret},
        claim_volume("state", names.state_claim(name, ordinal)),
        scratch("tmp"),
        *([limits.volume(pool, ordinal)] if limits.apply_to(pool) else ()),
        *(_disk_volume(each) for each in volumes),
    ]


def _disk_volume(volume: Volume) -> Object:
    name = f"disk-{volume.name}"
    if volume.host_path:
        # Directory: an unmounted path that does not exist is refused, not created on the root disk.
        return {"name": name, "hostPath": {"path": volume.host_path, "type": "Directory"}}
    return claim_volume(name, volume.claim)


def _from_node(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
