"""Kubernetes' JSON, as much of it as facts are taken from.

Field names are Kubernetes' own. What is absent has the value that it has for us then.
"""

from datetime import datetime
from typing import Final

import msgspec

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


class SeenCondition(msgspec.Struct, rename="camel"):
    """Of any object."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class Waiting(msgspec.Struct):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(msgspec.Struct, rename="camel"):
    """How a container ended, and its last words."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class State(msgspec.Struct):
    """Of a container; that it runs is all that is asked of a running one."""

    waiting: Waiting | None = None
    running: dict[str, str] | None = None
    terminated: Terminated | None = None


class Container(msgspec.Struct, rename="camel"):
    """Of a pod; what it runs is not asked."""

    name: str
    ready: bool = False
    restart_count: int = 0
    state: State = msgspec.field(default_factory=State)
    last_state: State = msgspec.field(default_factory=State)


class PodStatus(msgspec.Struct, rename="camel"):
    """What the kubelet says."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[SeenCondition] = []
    container_statuses: list[Container] = []
    init_container_statuses: list[Container] = []


class Needs(msgspec.Struct):
    """Limits of a container, by resource."""

    limits: dict[str, str | int] = {}


class ContainerSpec(msgspec.Struct):
    """What a container may use."""

    name: str
    resources: Needs = msgspec.field(default_factory=Needs)


class PodSpec(msgspec.Struct, rename="camel"):
    """Where it runs, and with how much."""

    node_name: str = ""
    containers: list[ContainerSpec] = []
    init_containers: list[ContainerSpec] = []


class SetStatus(msgspec.Struct, rename="camel"):
    """What a StatefulSet's controller says."""

    update_revision: str = ""
    observed_generation: int = 0


class ClaimSpec(msgspec.Struct, rename="camel"):
    """What a claim asks for."""

    storage_class_name: str | None = None
    volume_name: str = ""
    resources: msgspec.Raw = _EMPTY


class Requests(msgspec.Struct):
    """Of a claim's resources, by resource: `storage`."""

    requests: dict[str, str | int] = {}


class ClaimStatus(msgspec.Struct, rename="camel"):
    """What a claim has, and where its growth stands."""

    phase: str = ""
    capacity: dict[str, str | int] = {}
    conditions: list[SeenCondition] = []
    allocated_resource_statuses: dict[str, str] = {}


class Port(msgspec.Struct, rename="camel"):
    """Of a Service."""

    node_port: int = 0


class ServiceSpec(msgspec.Struct):
    """How a Service is reached inside."""

    ports: list[Port] = []


class Ingress(msgspec.Struct):
    """An address of a load balancer."""

    ip: str = ""
    hostname: str = ""


class Balancer(msgspec.Struct):
    """All its addresses."""

    ingress: list[Ingress] = []


class ServiceStatus(msgspec.Struct, rename="camel"):
    """How a Service is reached from outside."""

    load_balancer: Balancer = msgspec.field(default_factory=Balancer)


class Taint(msgspec.Struct):
    """Of a node; its effect does not matter."""

    key: str


class NodeSpec(msgspec.Struct):
    """What keeps pods away from a node."""

    taints: list[Taint] = []
    unschedulable: bool = False


class NodeStatus(msgspec.Struct):
    """What a node's kubelet says, or who misses it."""

    conditions: list[SeenCondition] = []


class About(msgspec.Struct):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class EventItem(msgspec.Struct, rename="camel"):
    """A Kubernetes event, by whichever of its two APIs it was written."""

    involved_object: About
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None

    @property
    def when(self) -> str:
        """When it was seen last, as text that sorts."""
        return self.last_timestamp or self.event_time or ""


class EventPage(msgspec.Struct):
    """Some events."""

    items: list[EventItem] = []
