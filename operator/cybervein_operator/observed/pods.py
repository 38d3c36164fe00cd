"""The facts of a pod: where it is, whether it is ready, and in whose words it is not."""

from typing import Final

import msgspec

from cybervein_operator.observed.facts import PodFacts
from cybervein_operator.observed.shapes import (
    Container,
    Item,
    PodSpec,
    PodStatus,
    SeenCondition,
)

# Reasons of a waiting container that pass without help.
_PASSING: Final = {"", "ContainerCreating", "PodInitializing"}
_PULLS: Final = {"ErrImagePull", "ImagePullBackOff"}
_OOM: Final = "OOMKilled"
_FIELDS: Final = {
    "miner": "resources.miner",
    "sidecar": "resources.sidecar",
    "supernode": "superNode.resources",
    "found": "superNode.resources",
}
"""Where a spec sets the limits of a container."""


def pod_facts(item: Item) -> PodFacts:
    """What is kept of a pod."""
    spec = msgspec.json.decode(item.spec, type=PodSpec)
    status = msgspec.json.decode(item.status, type=PodStatus)
    conditions = {each.type: each for each in status.conditions}
    ready = conditions.get("Ready")
    # The scheduler may say so late: of a pod that it has bound by then, or of its forerunner.
    waits = None if spec.node_name else _unscheduled(conditions)
    reason, message = _trouble(spec, status, waits)
    return PodFacts(
        ready=ready is not None and ready.status == "True",
        running=status.phase == "Running",
        node=spec.node_name,
        revision=item.metadata.labels.get("controller-revision-hash", ""),
        reason=reason,
        message=message,
        unscheduled=waits.last_transition_time if waits else None,
        refused=_refused(status),
        creating=bool(spec.node_name) and not reason and _creating(status, conditions),
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


def _creating(status: PodStatus, conditions: dict[str, SeenCondition]) -> bool:
    """Its node has not begun with it: volumes, ConfigMaps and Secrets are on their way.

    Once they are there, its containers say themselves what keeps them, an image for example.
    """
    begins = conditions.get("PodReadyToStartContainers")
    if begins is not None and begins.status == "True":
        return False
    states = [each.state for each in (*status.init_container_statuses, *status.container_statuses)]
    begun = any(each.running is not None or each.terminated for each in states)
    return status.phase in {"", "Pending"} and not begun


def _trouble(
    spec: PodSpec, status: PodStatus, unscheduled: SeenCondition | None
) -> tuple[str, str]:
    if unscheduled is not None:
        return "Unschedulable", unscheduled.message
    limits = {
        each.name: str(each.resources.limits.get("memory", ""))
        for each in (*spec.init_containers, *spec.containers)
    }
    for container in (*status.init_container_statuses, *status.container_statuses):
        found = _of_container(container, limits.get(container.name, ""))
        if found[0]:
            return found
    if status.phase == "Failed":
        return status.reason or "PodFailed", status.message or "the pod failed"
    return "", ""


def _of_container(container: Container, limit: str) -> tuple[str, str]:
    """Why a container does not run: killed for its memory, or what its node says."""
    if container.ready:
        return "", ""
    ended = container.state.terminated or container.last_state.terminated
    if ended is not None and ended.reason == _OOM:
        return _OOM, _out_of_memory(container, limit)
    waiting = container.state.waiting
    if waiting is None or waiting.reason in _PASSING:
        return "", ""
    reason = "ImagePullBackOff" if waiting.reason in _PULLS else waiting.reason
    words = f"container {container.name}: {waiting.message or 'waits'}"
    if ended is not None:
        why = ": ".join(filter(None, (ended.reason, _last_line(ended.message))))
        words += f"; it ended with exit code {ended.exit_code}" + (f" ({why})" if why else "")
    return reason, words


def _out_of_memory(container: Container, limit: str) -> str:
    head = f"container {container.name}: killed for its memory"
    field = _FIELDS.get(container.name, "its resources")
    if not limit:
        return f"{head}, {container.restart_count} restarts: its node had none left; raise {field}"
    return f"{head} at its limit of {limit}, {container.restart_count} restarts; raise {field}"
