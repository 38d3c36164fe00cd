"""From an object's JSON to its facts: spec and status stay bytes until a fact is taken out."""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.api.quantity import number
from cybervein_operator.observed.facts import (
    ADDRESS,
    AUTOSCALER_TAINT,
    DRAIN,
    FAILED,
    GROWS,
    MINER_LABEL,
    NETWORK_LABEL,
    NODE,
    OWNER,
    POOL_LABEL,
    PREFIX,
    RESTART,
    TEMPLATE,
    WAITS_FOR_POD,
    ClaimFacts,
    Facts,
    NodeFacts,
    Seen,
    ServiceFacts,
    SetFacts,
)
from cybervein_operator.observed.pods import pod_facts
from cybervein_operator.observed.shapes import (
    ClaimSpec,
    ClaimStatus,
    Item,
    NodeSpec,
    NodeStatus,
    Requests,
    ServiceSpec,
    ServiceStatus,
    SetStatus,
)


def _set(item: Item) -> SetFacts:
    status = msgspec.json.decode(item.status, type=SetStatus)
    template = item.metadata.annotations.get(TEMPLATE, "")
    settled = status.observed_generation >= item.metadata.generation
    restart = item.metadata.annotations.get(RESTART, "")
    return SetFacts(template, status.update_revision, settled, restart)


def _claim(item: Item) -> ClaimFacts:
    spec = msgspec.json.decode(item.spec, type=ClaimSpec)
    status = msgspec.json.decode(item.status, type=ClaimStatus)
    asked = msgspec.json.decode(spec.resources, type=Requests).requests
    notes = item.metadata.annotations
    growth, words = _growth(status)
    return ClaimFacts(
        status.phase,
        spec.storage_class_name,
        notes.get(ADDRESS, ""),
        notes.get(NODE, ""),
        notes.get(OWNER, ""),
        requested=str(asked.get("storage", "")),
        capacity=number(status.capacity.get("storage", 0)),
        holds=str(status.capacity.get("storage", "")),
        volume=spec.volume_name,
        growth=growth,
        words=words,
    )


def capacity_of(status: bytes) -> int:
    """Bytes of the volume of a claim with that status; 0 while it has none."""
    found = msgspec.json.decode(status, type=ClaimStatus).capacity.get("storage", 0)
    return number(found)


def _growth(status: ClaimStatus) -> tuple[str, str]:
    """Where a growth stands, and Kubernetes' words for it; the worst first."""
    said = {each.type: each.message for each in status.conditions if each.status == "True"}
    allocated = status.allocated_resource_statuses.get("storage", "")
    for kind in ("ControllerResizeError", "NodeResizeError"):
        if kind in said:
            return FAILED, said[kind]
    if allocated.endswith("Infeasible"):
        return FAILED, allocated
    if "FileSystemResizePending" in said:
        return WAITS_FOR_POD, said["FileSystemResizePending"]
    return (GROWS, said["Resizing"]) if "Resizing" in said else ("", "")


def _service(item: Item) -> ServiceFacts:
    spec = msgspec.json.decode(item.spec, type=ServiceSpec)
    status = msgspec.json.decode(item.status, type=ServiceStatus)
    ingress = status.load_balancer.ingress
    balancer = (ingress[0].hostname or ingress[0].ip) if ingress else ""
    return ServiceFacts(spec.ports[0].node_port if spec.ports else 0, balancer)


def _node(item: Item) -> NodeFacts:
    spec = msgspec.json.decode(item.spec, type=NodeSpec)
    status = msgspec.json.decode(item.status, type=NodeStatus)
    silent = [each for each in status.conditions if each.type == "Ready" and each.status != "True"]
    return NodeFacts(
        _drain(item, {each.key for each in spec.taints}),
        cordoned=spec.unschedulable,
        trouble=(silent[0].message or silent[0].reason or "it is not ready") if silent else "",
    )


def _drain(item: Item, taints: set[str]) -> str:
    if item.metadata.annotations.get(DRAIN) == "true":
        return f"annotation {DRAIN}"
    return f"taint {AUTOSCALER_TAINT}" if AUTOSCALER_TAINT in taints else ""


_FACTS: Final[dict[ClusterKind, Callable[[Item], Facts]]] = {
    ClusterKind.POD: pod_facts,
    ClusterKind.STATEFUL_SET: _set,
    ClusterKind.CLAIM: _claim,
    ClusterKind.SERVICE: _service,
    ClusterKind.NODE: _node,
}


def seen(kind: ClusterKind, item: Item) -> Seen:
    """The facts of an object."""
    meta, take = item.metadata, _FACTS.get(kind)
    return Seen(
        uid=meta.uid,
        version=meta.resource_version,
        fingerprint=_fingerprint(kind, item),
        pool=meta.labels.get(POOL_LABEL, ""),
        miner=meta.labels.get(MINER_LABEL, ""),
        network=meta.labels.get(NETWORK_LABEL, ""),
        deleting=bool(meta.deletion_timestamp),
        facts=take(item) if take else None,
    )


def _fingerprint(kind: ClusterKind, item: Item) -> str:
    """Of what we may set: labels, our annotations, spec or data. Pods and nodes are not ours."""
    if kind in {ClusterKind.POD, ClusterKind.NODE}:
        return ""
    content = bytes(item.spec) + bytes(item.data)
    if kind is ClusterKind.CLAIM:  # the rest of a claim's spec is filled in by its binding
        content = bytes(msgspec.json.decode(item.spec, type=ClaimSpec).resources)
    notes = {k: v for k, v in item.metadata.annotations.items() if k.startswith(PREFIX)}
    head = msgspec.json.encode((item.metadata.labels, notes), order="sorted")
    return hashlib.blake2b(head + content, digest_size=12).hexdigest()
