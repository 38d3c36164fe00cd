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
    message: str = ""


class State(msgspec.Struct):
    """Of a container."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class Container(msgspec.Struct, rename="camel"):
    """Of a pod; what it runs is not asked."""

    name: str
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


class PodSpec(msgspec.Struct, rename="camel"):
    """Where it runs."""

    node_name: str = ""


class SetStatus(msgspec.Struct, rename="camel"):
    """What a StatefulSet's controller says."""

    update_revision: str = ""
    observed_generation: int = 0


class ClaimSpec(msgspec.Struct, rename="camel"):
    """What a claim asks for."""

    storage_class_name: str | None = None
    resources: msgspec.Raw = _EMPTY


class Phase(msgspec.Struct):
    """A status of which only the phase matters."""

    phase: str = ""


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
