"""Where the scheduler puts pods: affinity, which the API server judges, and spread."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from cybervein_operator.api.fields import LOOSE, ordered, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.rules import Rule

Loose = Annotated[dict[str, Any], says("As in a pod.", **{LOOSE: True, "maxProperties": 16})]
Terms = Annotated[tuple[Loose, ...], Meta(max_length=16)]
TopologyKey = Annotated[str, Meta(min_length=1, max_length=317)]


class NodeAffinity(Part, frozen=True, kw_only=True):
    """Which nodes: as in a pod."""

    required_during_scheduling_ignored_during_execution: Annotated[
        Loose | None, says("A node selector that must match.")
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        Terms | None, ordered("Weighted terms that should match.")
    ] = None


class PodAffinity(Part, frozen=True, kw_only=True):
    """Beside, or away from, which pods: as in a pod."""

    required_during_scheduling_ignored_during_execution: Annotated[
        Terms | None, ordered("Terms that must match.")
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        Terms | None, ordered("Weighted terms that should match.")
    ] = None


class Affinity(Part, frozen=True, kw_only=True):
    """As in a pod; a pool's antiAffinity holds beside it."""

    node_affinity: Annotated[NodeAffinity | None, says("Which nodes.")] = None
    pod_affinity: Annotated[PodAffinity | None, says("Beside which pods.")] = None
    pod_anti_affinity: Annotated[PodAffinity | None, says("Away from which pods.")] = None


class Unsatisfiable(StrEnum):
    """What a spread that cannot be had means."""

    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class NodeInclusion(StrEnum):
    """Whether something about nodes counts."""

    HONOR = "Honor"
    IGNORE = "Ignore"


class TopologySpread(Part, frozen=True, kw_only=True):
    """How these pods spread: of a pool its miners, of a network its super node."""

    RULES: ClassVar = (
        Rule(
            "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'",
            "minDomains is for whenUnsatisfiable DoNotSchedule; set it, or leave minDomains out",
        ),
    )
    topology_key: Annotated[
        TopologyKey, says("Node label whose values are the domains, as in a zone's.")
    ]
    when_unsatisfiable: Annotated[
        Unsatisfiable, says("Whether a pod that would lean too far waits, or is put somewhere.")
    ]
    max_skew: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)], says("How many more one domain may have.")
    ] = 1
    min_domains: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None, says("Domains that there must be.")
    ] = None
    node_affinity_policy: Annotated[
        NodeInclusion | None, says("Whether only nodes that affinity and selector allow count.")
    ] = None
    node_taints_policy: Annotated[
        NodeInclusion | None, says("Whether only nodes whose taints are tolerated count.")
    ] = None
