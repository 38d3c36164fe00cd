"""What a person may add to the Services of miners and super nodes."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.fields import distinct, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.pod_template import Annotations, Labels
from cybervein_operator.api.rules import Rule, no_own_keys

CIDR: Final = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)/[0-9]{1,3}$"
Cidrs = Annotated[
    tuple[Annotated[str, Meta(pattern=CIDR, max_length=49)], ...], Meta(max_length=32)
]


class TrafficPolicy(StrEnum):
    """Where traffic from outside may go."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class ServiceOptions(Part, frozen=True, kw_only=True):
    """What the Service has beside what the operator says."""

    RULES: ClassVar = no_own_keys()
    annotations: Annotated[
        Annotations | None, says("Annotations, such as those that a load balancer reads.")
    ] = None
    labels: Annotated[Labels | None, says("Further labels.")] = None
    load_balancer_class: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_./]*$", min_length=1, max_length=317)]
        | None,
        says("Which load balancer, for type LoadBalancer. Kubernetes lets nobody change it."),
    ] = None
    load_balancer_source_ranges: Annotated[
        Cidrs | None, distinct("Networks (CIDR) that a load balancer lets through.")
    ] = None
    external_traffic_policy: Annotated[
        TrafficPolicy | None,
        says(
            "For types NodePort and LoadBalancer: Local keeps the caller's address and answers on "
            "the pod's node alone; Cluster, the default, answers on every node."
        ),
    ] = None


def fits_type(path: str) -> tuple[Rule, ...]:
    """Rules of what holds options at `path` ("self.", or "self.service.") and has a `type`."""
    held = "" if path == "self." else "!has(self.service) || "
    return (
        Rule(
            f"{held}(!has({path}loadBalancerClass) && !has({path}loadBalancerSourceRanges)) || "
            "self.type == 'LoadBalancer'",
            "loadBalancerClass and loadBalancerSourceRanges are for type LoadBalancer; set the "
            "type or leave them out",
        ),
        Rule(
            f"{held}!has({path}externalTrafficPolicy) || self.type == 'LoadBalancer' || "
            "self.type == 'NodePort'",
            "externalTrafficPolicy is for types NodePort and LoadBalancer; set the type or leave "
            "it out",
        ),
    )
