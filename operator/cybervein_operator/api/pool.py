"""`MinerPool`: identical miners that `kubectl scale` adds and drains."""

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.fields import (
    POOL_NAME_MAX,
    Address,
    Image,
    MinerName,
    Quantity,
    distinct,
    keyed,
    says,
)
from cybervein_operator.api.meta import Metadata, Part
from cybervein_operator.api.pod_template import PodTemplate
from cybervein_operator.api.pods import PullPolicy, PullSecrets
from cybervein_operator.api.pool_parts import (
    DISKS_MAX,
    MINERS_MAX,
    STATE_DEFAULT,
    FailureDomain,
    Plots,
    PoolAddress,
    PoolDisk,
    PoolResources,
    Rollout,
    Scheduling,
    StateTemplate,
)
from cybervein_operator.api.pool_status import MinerPoolStatus
from cybervein_operator.api.rules import Rule, at_least

LABEL_MAX: Final = 64
"""Characters that the ledger takes for a group or an owner."""

BANDWIDTH_MIN: Final = 131_072

_REGISTERED: Final = "oldSelf.status.registered"
_NOT_REGISTERED: Final = f"!has(oldSelf.status) || !has({_REGISTERED})"
_DOMAIN: Final = "(has({0}.spec.failureDomain) ? {0}.spec.failureDomain : 'Node')"

Label = Annotated[str, Meta(min_length=1, max_length=LABEL_MAX, pattern=r"^[!-~]+$")]


class NetworkRef(Part, frozen=True, kw_only=True):
    """The network to mine in."""

    RULES: ClassVar = (
        Rule(
            "self.name == oldSelf.name",
            "networkRef.name cannot change: plots, shards and bonds belong to one network; create "
            "a MinerPool of another name",
        ),
    )
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=POOL_NAME_MAX)],
        says("Name of a Network of this namespace. Immutable."),
    ]


class MinerPoolSpec(Part, frozen=True, kw_only=True):
    """What each miner has, and how many there are."""

    RULES: ClassVar = (
        Rule(
            "self.disks.all(d, !has(d.existingClaims) || d.existingClaims.size() >= self.replicas)",
            "existingClaims of each disk must name at least as many claims as there are replicas; "
            "add claims or scale to fewer",
            ".disks",
        ),
        Rule(
            "!(has(self.group) && has(self.failureDomain))",
            "give either group (one for the whole pool) or failureDomain, not both",
        ),
        Rule(
            "self.replicas < 2 || !self.disks.exists(d, has(d.hostPath)) || "
            "(self.scheduling.antiAffinity == 'Required' && "
            "self.scheduling.topologyKey == 'kubernetes.io/hostname')",
            "hostPath with two or more replicas needs scheduling.antiAffinity Required with "
            "topologyKey kubernetes.io/hostname, or two miners would share a directory",
            ".disks",
        ),
        Rule(
            "!has(self.address.port) || self.replicas == 0 || "
            "self.address.port + self.replicas - 1 <= 65535",
            "address.port + replicas - 1 exceeds 65535: each miner has its own port; lower port "
            "or replicas",
            ".address",
        ),
        Rule(
            "!has(self.podTemplate) || !has(self.podTemplate.priorityClassName) || "
            "!has(self.scheduling.priorityClassName)",
            "give priorityClassName either in podTemplate or in scheduling, not in both",
            ".podTemplate",
        ),
        at_least(
            "bandwidth",
            str(BANDWIDTH_MIN),
            f"bandwidth is bytes per second, at least {BANDWIDTH_MIN} (128Ki); raise it, or leave "
            "it out for no cap",
            ".bandwidth",
        ),
    )
    network_ref: Annotated[NetworkRef, says("The network to mine in. Immutable.")]
    replicas: Annotated[
        Annotated[int, Meta(ge=0, le=MINERS_MAX)],
        says("How many miners. Those above are drained before they stop; their data is kept."),
    ] = 1
    payout: Annotated[
        Address | None,
        says("Address that rewards go to: a wallet's. Absent: each miner's own account."),
    ] = None
    owner: Annotated[
        Label | None,
        says(
            "Who operates these miners: one group and owner are one failure domain. Absent: as "
            "other pools here, the first time the operator's address. Fixed once registered."
        ),
    ] = None
    failure_domain: Annotated[
        FailureDomain | None,
        says(
            "What fails together: Node (the default; miners on one node share a group, its name) "
            "or Miner (each has a group of its own). Fixed once registered."
        ),
    ] = None
    group: Annotated[
        Label | None,
        says(
            "Instead of failureDomain: one group for the whole pool, such as a rack or a zone. "
            "Fixed once registered."
        ),
    ] = None
    state: Annotated[StateTemplate, says("Claim POOL-N-state of each miner's journal.")] = (
        STATE_DEFAULT
    )
    disks: Annotated[
        Annotated[tuple[PoolDisk, ...], Meta(min_length=1, max_length=DISKS_MAX)],
        keyed("The disks of each miner.", "name"),
    ]
    plots: Annotated[Plots, says("How much is plotted.")] = Plots()
    bandwidth: Annotated[
        Quantity | None,
        says(
            "Bytes per second that each miner may use for shards, such as 10Mi; at least 131072. "
            "Absent: no cap."
        ),
    ] = None
    address: Annotated[PoolAddress, says("How clients and super nodes reach each miner.")] = (
        PoolAddress()
    )
    resources: Annotated[PoolResources, says("Compute resources of the miners' containers.")] = (
        PoolResources()
    )
    scheduling: Annotated[Scheduling, says("Where miners run.")] = Scheduling()
    pod_template: Annotated[
        PodTemplate | None, says("What the pods have beside what the operator says.")
    ] = None
    rollout: Annotated[Rollout, says("How upgrades proceed.")] = Rollout()
    drain: Annotated[
        Annotated[tuple[MinerName, ...], Meta(max_length=1024)],
        distinct(
            "Miners (POOL-N) to empty and stop, whatever their ordinal. Their data is kept; "
            "removing the name starts them again."
        ),
    ] = ()
    image: Annotated[
        Image | None, says("Image of miner and sidecar; absent means the operator's own.")
    ] = None
    image_pull_policy: Annotated[
        PullPolicy | None, says("When nodes ask the registry for the image.")
    ] = None
    image_pull_secrets: Annotated[
        PullSecrets,
        distinct("Secrets here that log in to the registry; none means the operator's default."),
    ] = ()


class MinerPool(Part, frozen=True, kw_only=True):
    """Identical miners of one network, which kubectl scale adds and drains."""

    RULES: ClassVar = (
        Rule(
            "!has(self.spec.drain) || self.spec.drain.all(m, "
            "m.substring(0, m.lastIndexOf('-')) == self.metadata.name)",
            "drain names miners of this pool: POOL-N, where N is the ordinal",
            ".spec.drain",
        ),
        Rule(
            f"!has(self.spec.owner) || {_NOT_REGISTERED} || "
            "(has(oldSelf.spec.owner) && self.spec.owner == oldSelf.spec.owner) || "
            f"(has({_REGISTERED}.owner) && self.spec.owner == {_REGISTERED}.owner)",
            "owner cannot change: the ledger keeps that of the registration, see "
            "status.registered; leave it as it was, or make a MinerPool of another name",
            ".spec.owner",
        ),
        Rule(
            f"{_NOT_REGISTERED} || (has(self.spec.group) ? "
            "((has(oldSelf.spec.group) && self.spec.group == oldSelf.spec.group) || "
            f"(has({_REGISTERED}.group) && self.spec.group == {_REGISTERED}.group)) : "
            f"((!has(oldSelf.spec.group) && {_DOMAIN.format('self')} == "
            f"{_DOMAIN.format('oldSelf')}) || (has({_REGISTERED}.failureDomain) && "
            f"{_DOMAIN.format('self')} == {_REGISTERED}.failureDomain)))",
            "group and failureDomain cannot change: the ledger keeps the group of the "
            "registration, see status.registered; leave them as they were, or make a MinerPool "
            "of another name",
            ".spec",
        ),
    )
    metadata: Metadata
    spec: Annotated[MinerPoolSpec, says("What each miner has, and how many there are.")]
    status: Annotated[MinerPoolStatus, says("What the operator saw.")] = MinerPoolStatus()
