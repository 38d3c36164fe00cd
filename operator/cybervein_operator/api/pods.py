"""Pieces of a pod that a person may set."""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from cybervein_operator.api.fields import Quantity, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.rules import Rule


class PullPolicy(StrEnum):
    """When a node asks the registry for the image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


SecretName = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=253)
]
PullSecrets = Annotated[tuple[SecretName, ...], Meta(max_length=8)]


class PodResources(Part, frozen=True, kw_only=True):
    """Compute resources of a container."""

    RULES: ClassVar = (
        Rule(
            "!has(self.requests) || !has(self.limits) || self.requests.all(name, "
            "!(name in self.limits) || quantity(string(self.requests[name]))"
            ".compareTo(quantity(string(self.limits[name]))) <= 0)",
            "a request exceeds its limit; lower requests or raise limits",
        ),
    )
    requests: Annotated[
        Annotated[dict[str, Quantity], Meta(max_length=16)] | None,
        says("What the scheduler sets aside, by resource name (cpu, memory, ephemeral-storage)."),
    ] = None
    limits: Annotated[
        Annotated[dict[str, Quantity], Meta(max_length=16)] | None,
        says(
            "What the container can never exceed, by resource name. Above its memory it is killed."
        ),
    ] = None


class Operator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class Effect(StrEnum):
    """What a taint does."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Part, frozen=True, kw_only=True):
    """A taint of nodes that these pods tolerate."""

    RULES: ClassVar = (
        Rule(
            "!has(self.operator) || self.operator != 'Exists' || !has(self.value)",
            "value is for operator Equal; Exists compares the key alone",
        ),
        Rule(
            "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            "a toleration without key tolerates every taint: say so with operator Exists",
        ),
    )
    key: Annotated[
        Annotated[str, Meta(max_length=317)] | None,
        says("Key of the taint; absent, with operator Exists, tolerates every taint."),
    ] = None
    operator: Annotated[
        Operator | None, says("Equal compares key and value (the default), Exists the key alone.")
    ] = None
    value: Annotated[
        Annotated[str, Meta(max_length=63)] | None, says("Value of the taint, for operator Equal.")
    ] = None
    effect: Annotated[Effect | None, says("Effect of the taint; absent means each of them.")] = None
    toleration_seconds: Annotated[
        int | None, says("For effect NoExecute: how long the pod stays. Absent: without limit.")
    ] = None


LabelValue = Annotated[str, Meta(max_length=63)]
NodeSelector = Annotated[dict[str, LabelValue], Meta(max_length=32)]
