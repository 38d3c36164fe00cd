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
    MINER_LABEL,
    NETWORK_LABEL,
    NODE,
    OWNER,
    POOL_LABEL,
    PREFIX,
    RESTART,
    TEMPLATE,
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
    Phase,
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
    notes = item.metadata.annotations
    phase = msgspec.json.decode(item.status, type=Phase).phase
    return ClaimFacts(
        phase,
        spec.storage_class_name,
        address=notes.get(ADDRESS, ""),
        node=notes.get(NODE, ""),
        owner=notes.get(OWNER, ""),
        capacity=capacity_of(item.status),
    )


def capacity_of(status: bytes) -> int:
    """Bytes of the volume of a claim with that status; 0 while it has none."""
    found = msgspec.json.decode(status, type=ClaimStatus).capacity.get("storage", 0)
    return number(found)


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
