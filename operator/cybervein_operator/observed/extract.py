"""From an object's JSON to its facts: spec and status stay bytes until a fact is taken out."""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.observed.facts import (
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
from cybervein_operator.observed.shapes import (
    ClaimSpec,
    Item,
    NodeSpec,
    Phase,
    PodSpec,
    PodStatus,
    SeenCondition,
    ServiceSpec,
    ServiceStatus,
    SetStatus,
)

# Reasons of a waiting container that pass without help.
_PASSING: Final = {"", "ContainerCreating", "PodInitializing"}


def _pod(item: Item) -> PodFacts:
    spec = msgspec.json.decode(item.spec, type=PodSpec)
    status = msgspec.json.decode(item.status, type=PodStatus)
    conditions = {each.type: each for each in status.conditions}
    ready = conditions.get("Ready")
    # The scheduler may say so late: of a pod that it has bound by then, or of its forerunner.
    waits = None if spec.node_name else _unscheduled(conditions)
    reason, message = _pod_trouble(status, waits)
    return PodFacts(
        ready=ready is not None and ready.status == "True",
        running=status.phase == "Running",
        node=spec.node_name,
        revision=item.metadata.labels.get("controller-revision-hash", ""),
        reason=reason,
        message=message,
        unscheduled=waits.last_transition_time if waits else None,
        refused=_refused(status),
    )


def _refused(status: PodStatus) -> tuple[str, str] | None:
    """The init container that fails, and what it said last."""
    for each in status.init_container_statuses:
        for ended in (each.state.terminated, each.last_state.terminated):
            if ended is not None and ended.exit_code:
                return each.name, _last_line(ended.message)
            if ended is not None:
                break
    return None


def _last_line(message: str) -> str:
    """A refusal is one line, the last; what came before is the program's log."""
    lines = message.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _unscheduled(conditions: dict[str, SeenCondition]) -> SeenCondition | None:
    """The scheduler's words while it finds no node."""
    scheduled = conditions.get("PodScheduled")
    return scheduled if scheduled is not None and scheduled.status == "False" else None


def _pod_trouble(status: PodStatus, unscheduled: SeenCondition | None) -> tuple[str, str]:
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
    status = msgspec.json.decode(item.status, type=SetStatus)
    template = item.metadata.annotations.get(TEMPLATE, "")
    settled = status.observed_generation >= item.metadata.generation
    return SetFacts(template, status.update_revision, settled)


def _claim(item: Item) -> ClaimFacts:
    spec = msgspec.json.decode(item.spec, type=ClaimSpec)
    notes = item.metadata.annotations
    phase = msgspec.json.decode(item.status, type=Phase).phase
    return ClaimFacts(phase, spec.storage_class_name, notes.get(ADDRESS, ""), notes.get(NODE, ""))


def _service(item: Item) -> ServiceFacts:
    spec = msgspec.json.decode(item.spec, type=ServiceSpec)
    status = msgspec.json.decode(item.status, type=ServiceStatus)
    ingress = status.load_balancer.ingress
    balancer = (ingress[0].hostname or ingress[0].ip) if ingress else ""
    return ServiceFacts(spec.ports[0].node_port if spec.ports else 0, balancer)


def _node(item: Item) -> NodeFacts:
    taints = {each.key for each in msgspec.json.decode(item.spec, type=NodeSpec).taints}
    if item.metadata.annotations.get(DRAIN) == "true":
        return NodeFacts(f"annotation {DRAIN}")
    return NodeFacts(f"taint {AUTOSCALER_TAINT}" if AUTOSCALER_TAINT in taints else "")


_FACTS: Final[dict[ClusterKind, Callable[[Item], Facts]]] = {
    ClusterKind.POD: _pod,
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
