"""From an object's JSON to its facts: spec and status stay bytes until a fact is taken out."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from cybervein_operator.cluster.kinds import Kind
from cybervein_operator.cluster.views import (
    ADDRESS,
    AUTOSCALER_TAINT,
    DRAIN,
    MINER_LABEL,
    NETWORK_LABEL,
    NODE,
    POOL_LABEL,
    PREFIX,
    TEMPLATE,
    ClaimFacts,
    Facts,
    NodeFacts,
    PodFacts,
    Seen,
    ServiceFacts,
    SetFacts,
)

_EMPTY: Final = msgspec.Raw(b"{}")


class Meta(msgspec.Struct, rename="camel"):
    """The metadata that matters."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    deletion_timestamp: str = ""


class Item(msgspec.Struct):
    """An object as it arrives; spec, data and status stay bytes until a fact is taken out."""

    metadata: Meta
    spec: msgspec.Raw = _EMPTY
    data: msgspec.Raw = _EMPTY
    status: msgspec.Raw = _EMPTY


class _Condition(msgspec.Struct, rename="camel"):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class _Waiting(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _State(msgspec.Struct):
    waiting: _Waiting | None = None


class _Container(msgspec.Struct):
    name: str
    state: _State = msgspec.field(default_factory=_State)


class _PodStatus(msgspec.Struct, rename="camel"):
    phase: str = ""
    reason: str = ""
    message: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    conditions: list[_Condition] = []
    container_statuses: list[_Container] = []
    init_container_statuses: list[_Container] = []


class _PodSpec(msgspec.Struct, rename="camel"):
    node_name: str = ""


class _SetStatus(msgspec.Struct, rename="camel"):
    update_revision: str = ""
    observed_generation: int = 0


class _ClaimSpec(msgspec.Struct, rename="camel"):
    storage_class_name: str | None = None
    resources: msgspec.Raw = _EMPTY


class _Phase(msgspec.Struct):
    phase: str = ""


class _Port(msgspec.Struct, rename="camel"):
    node_port: int = 0


class _ServiceSpec(msgspec.Struct):
    ports: list[_Port] = []


class _Ingress(msgspec.Struct):
    ip: str = ""
    hostname: str = ""


class _Balancer(msgspec.Struct):
    ingress: list[_Ingress] = []


class _ServiceStatus(msgspec.Struct, rename="camel"):
    load_balancer: _Balancer = msgspec.field(default_factory=_Balancer)


class _Taint(msgspec.Struct):
    key: str


class _NodeSpec(msgspec.Struct):
    taints: list[_Taint] = []


class _Address(msgspec.Struct):
    type: str
    address: str


class _NodeStatus(msgspec.Struct):
    addresses: list[_Address] = []


# Reasons of a waiting container that pass by themselves.
_PASSING: Final = {"", "ContainerCreating", "PodInitializing"}


def _pod(item: Item) -> PodFacts:
    spec = msgspec.json.decode(item.spec, type=_PodSpec)
    status = msgspec.json.decode(item.status, type=_PodStatus)
    conditions = {each.type: each for each in status.conditions}
    ready, waits = conditions.get("Ready"), _unscheduled(conditions)
    reason, message = _pod_trouble(status, waits)
    return PodFacts(
        ready is not None and ready.status == "True",
        status.phase == "Running",
        spec.node_name,
        item.metadata.labels.get("controller-revision-hash", ""),
        status.host_ip,
        reason,
        message,
        waits.last_transition_time if waits else None,
    )


def _unscheduled(conditions: dict[str, _Condition]) -> _Condition | None:
    """The scheduler's words while it finds no node."""
    scheduled = conditions.get("PodScheduled")
    return scheduled if scheduled is not None and scheduled.status == "False" else None


def _pod_trouble(status: _PodStatus, unscheduled: _Condition | None) -> tuple[str, str]:
    if unscheduled is not None:
        return "Unschedulable", unscheduled.message
    for container in (*status.init_container_statuses, *status.container_statuses):
        waiting = container.state.waiting
        if waiting is not None and waiting.reason not in _PASSING:
            return waiting.reason, f"container {container.name}: {waiting.message or 'waits'}"
    if status.phase == "Failed":
        return status.reason or "PodFailed", status.message or "the pod failed"
    return "", ""


def _set(item: Item) -> SetFacts:
    status = msgspec.json.decode(item.status, type=_SetStatus)
    template = item.metadata.annotations.get(TEMPLATE, "")
    settled = status.observed_generation >= item.metadata.generation
    return SetFacts(template, status.update_revision, settled)


def _claim(item: Item) -> ClaimFacts:
    spec = msgspec.json.decode(item.spec, type=_ClaimSpec)
    notes = item.metadata.annotations
    phase = msgspec.json.decode(item.status, type=_Phase).phase
    return ClaimFacts(phase, spec.storage_class_name, notes.get(ADDRESS, ""), notes.get(NODE, ""))


def _service(item: Item) -> ServiceFacts:
    spec = msgspec.json.decode(item.spec, type=_ServiceSpec)
    status = msgspec.json.decode(item.status, type=_ServiceStatus)
    ingress = status.load_balancer.ingress
    balancer = (ingress[0].hostname or ingress[0].ip) if ingress else ""
    return ServiceFacts(spec.ports[0].node_port if spec.ports else 0, balancer)


def _node(item: Item) -> NodeFacts:
    taints = {each.key for each in msgspec.json.decode(item.spec, type=_NodeSpec).taints}
    drain = ""
    if item.metadata.annotations.get(DRAIN) == "true":
        drain = f"annotation {DRAIN}"
    elif AUTOSCALER_TAINT in taints:
        drain = f"taint {AUTOSCALER_TAINT}"
    addresses = {
        each.type: each.address
        for each in msgspec.json.decode(item.status, type=_NodeStatus).addresses
    }
    address = addresses.get("ExternalIP") or addresses.get("InternalIP") or ""
    return NodeFacts(drain, address)


_FACTS: Final[dict[Kind, Callable[[Item], Facts]]] = {
    Kind.POD: _pod,
    Kind.STATEFUL_SET: _set,
    Kind.CLAIM: _claim,
    Kind.SERVICE: _service,
    Kind.NODE: _node,
}


def seen(kind: Kind, item: Item) -> Seen:
    """The facts of an object."""
    meta, take = item.metadata, _FACTS.get(kind)
    return Seen(
        meta.uid,
        meta.resource_version,
        _fingerprint(kind, item),
        meta.labels.get(POOL_LABEL, ""),
        meta.labels.get(MINER_LABEL, ""),
        meta.labels.get(NETWORK_LABEL, ""),
        bool(meta.deletion_timestamp),
        take(item) if take else None,
    )


def _fingerprint(kind: Kind, item: Item) -> str:
    """Of what we may set: labels, our annotations, spec or data. Pods and nodes are not ours."""
    if kind in {Kind.POD, Kind.NODE}:
        return ""
    content = bytes(item.spec) + bytes(item.data)
    if kind is Kind.CLAIM:  # the rest of a claim's spec is filled in by its binding
        content = bytes(msgspec.json.decode(item.spec, type=_ClaimSpec).resources)
    notes = {k: v for k, v in item.metadata.annotations.items() if k.startswith(PREFIX)}
    head = msgspec.json.encode((item.metadata.labels, notes), order="sorted")
    return hashlib.blake2b(head + content, digest_size=12).hexdigest()
