"""Pieces of a `MinerPool`'s spec: its disks, plots, addresses, scheduling."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.fields import Quantity, Subdomain, distinct, ordered, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.pods import NodeSelector, PodResources, Toleration
from cybervein_operator.api.rules import Rule, at_least, exactly_one, fixed
from cybervein_operator.api.service_options import ServiceOptions, fits_type
from cybervein_operator.api.window import RolloutWindow

MINERS_MAX: Final = 10_000
DISKS_MAX: Final = 32
DISK_NAME_MAX: Final = 17
DISK_NAME: Final = r"^[a-z][a-z0-9]*$"
"""No hyphen: POOL-N-DISK can then be read in one way only, whatever the pool is called."""

DiskName = Annotated[str, Meta(pattern=DISK_NAME, min_length=1, max_length=DISK_NAME_MAX)]
STATE_MIN: Final = "32Mi"
DISK_MIN: Final = "64Mi"
HOSTNAME_KEY: Final = "kubernetes.io/hostname"


class ClaimTemplate(Part, frozen=True, kw_only=True):
    """A claim that is made for each miner."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        fixed(
            "storageClassName",
            "storageClassName cannot change: a claim keeps its class; add a disk of another name "
            "and drain this one",
        ),
    )
    size: Annotated[
        Quantity,
        says(
            "Size of each claim, as in 4Ti. It may grow where the storage class lets claims grow; "
            "no claim ever shrinks, so a smaller size is for claims that are made later."
        ),
    ]
    storage_class_name: Annotated[
        Subdomain | None,
        says("Storage class of the claims; absent means the cluster's default. Immutable."),
    ] = None


class StateTemplate(ClaimTemplate, frozen=True, kw_only=True):
    """The claim of each miner's journal."""

    RULES: ClassVar = (
        *ClaimTemplate.RULES,
        at_least("size", STATE_MIN, f"state.size is at least {STATE_MIN}: a journal takes that"),
    )


class DiskTemplate(ClaimTemplate, frozen=True, kw_only=True):
    """A claim that is made for each miner, as one of its disks. Its size is a limit too."""

    RULES: ClassVar = (
        *ClaimTemplate.RULES,
        at_least(
            "size",
            DISK_MIN,
            f"claimTemplate.size is at least {DISK_MIN}: one plot of preset local takes 33 MiB, of "
            "main 2.1 GiB, and a part of a disk stays free",
        ),
    )


STATE_DEFAULT: Final = StateTemplate(size="1Gi")


class PoolDisk(Part, frozen=True, kw_only=True):
    """One disk of each miner of the pool."""

    RULES: ClassVar = (
        exactly_one(
            ("claimTemplate", "existingClaims", "hostPath"),
            "a disk is exactly one of claimTemplate, existingClaims and hostPath",
        ),
        Rule("self.name != 'state'", "the disk name state is taken by the miner's journal"),
    )
    name: Annotated[
        DiskName,
        says(
            "Name of the disk in each miner, as in bay03: lower-case letters and digits, at most "
            "17, no hyphen. Claims and MinerDisks are called POOL-N-NAME."
        ),
    ]
    claim_template: Annotated[
        DiskTemplate | None,
        says(
            "Make a claim for each miner. Claims are never deleted. Plots and shards take no more "
            "than the claim has, whatever its filesystem has."
        ),
    ] = None
    existing_claims: Annotated[
        Annotated[tuple[Subdomain, ...], Meta(min_length=1, max_length=1024)] | None,
        distinct(
            "Claims of this namespace, one per miner by ordinal: the first is miner 0's. At least "
            "as many as replicas."
        ),
    ] = None
    host_path: Annotated[
        Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9_@.+-]*[A-Za-z0-9_@+-])+$", max_length=512)]
        | None,
        says(
            "Directory on the node, which must exist and belong to uid 65532. The namespace must "
            "allow it: labels cybervein.io/host-access: allowed and "
            "pod-security.kubernetes.io/enforce: privileged."
        ),
    ] = None


class Plots(Part, frozen=True, kw_only=True):
    """How much is plotted."""

    fill: Annotated[
        Annotated[int, Meta(ge=0, le=1000)],
        says("Share of each disk that plots may take, per mille. Shards of customers go first."),
    ] = 800
    count: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        says("Plots of each miner in all, instead of fill."),
    ] = None
    floor: Annotated[
        Quantity | None, says("What stays free on each disk; absent means the miner's own default.")
    ] = None
    threads: Annotated[
        Annotated[int, Meta(ge=1, le=256)] | None,
        says("Plots made at the same time; absent: as many as the miner's cores and memory allow."),
    ] = None


class AddressType(StrEnum):
    """How others reach a miner."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    HOST_PORT = "HostPort"


class PoolAddress(Part, frozen=True, kw_only=True):
    """How clients and super nodes reach each miner of the pool."""

    RULES: ClassVar = (
        Rule(
            "self.type != 'NodePort' || has(self.host)",
            "host is required for type NodePort: the name or address under which others reach the "
            "nodes",
        ),
        Rule(
            "!has(self.host) || self.type == 'NodePort' || self.type == 'HostPort'",
            "host is for types NodePort and HostPort; ClusterIP and LoadBalancer have a name or "
            "address of their own",
        ),
        Rule(
            "!has(self.port) || self.type == 'NodePort' || self.type == 'HostPort'",
            "port is for types NodePort and HostPort; elsewhere it is 4100",
        ),
        Rule(
            "self.type != 'NodePort' || !has(self.port) || self.port >= 1024",
            "port of type NodePort lies in the cluster's range of node ports, 30000 to 32767 by "
            "default; leave it out and the cluster chooses",
        ),
        *fits_type("self.service."),
    )
    type: Annotated[
        AddressType,
        says(
            "ClusterIP: inside this cluster alone. NodePort: a port of every node. LoadBalancer: "
            "an address for each miner. HostPort: a port of its node; the namespace must allow it."
        ),
    ] = AddressType.CLUSTER_IP
    host: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]+$", min_length=1, max_length=253)] | None,
        says(
            "Name or address under which others reach the nodes. Required for NodePort; for "
            "HostPort absent means the address of the node that the miner runs on."
        ),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        says(
            "Port of miner 0; miner N has this plus N. Absent: NodePort takes what the cluster "
            "gives, HostPort takes 4100 on every node, so that a node carries one miner."
        ),
    ] = None
    service: Annotated[
        ServiceOptions | None, says("What each miner's Service has beside what the operator says.")
    ] = None


class PoolResources(Part, frozen=True, kw_only=True):
    """Compute resources of the two containers."""

    miner: Annotated[
        PodResources | None,
        says("Resources of the miner. A plot of preset main takes 2.3 GiB of memory while made."),
    ] = None
    sidecar: Annotated[PodResources | None, says("Resources of the metrics sidecar.")] = None


class AntiAffinity(StrEnum):
    """Whether miners of a pool avoid each other."""

    NONE = "None"
    PREFERRED = "Preferred"
    REQUIRED = "Required"


class Scheduling(Part, frozen=True, kw_only=True):
    """Where miners run."""

    node_selector: Annotated[
        NodeSelector | None, says("Labels of the nodes on which these miners may run.")
    ] = None
    tolerations: Annotated[
        Annotated[tuple[Toleration, ...], Meta(max_length=32)],
        ordered("Taints of nodes that these miners tolerate."),
    ] = ()
    anti_affinity: Annotated[
        AntiAffinity,
        says(
            "Whether two miners of this pool may share a node (see topologyKey): never (Required), "
            "only where unavoidable (Preferred), or freely (None)."
        ),
    ] = AntiAffinity.PREFERRED
    topology_key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=317)],
        says("Node label whose value miners keep apart by, such as topology.kubernetes.io/zone."),
    ] = HOSTNAME_KEY
    priority_class_name: Annotated[
        Subdomain | None, says("PriorityClass of the pods; absent means the cluster's default.")
    ] = None


class FailureDomain(StrEnum):
    """What fails together."""

    MINER = "Miner"
    NODE = "Node"


class Rollout(Part, frozen=True, kw_only=True):
    """How upgrades proceed."""

    max_unavailable: Annotated[
        Annotated[int, Meta(ge=1, le=1000)],
        says(
            "Miners that an upgrade or an eviction may stop at once. Fewer are stopped if the "
            "redundancy of stored files requires it."
        ),
    ] = 1
    window: Annotated[
        RolloutWindow | None,
        says(
            "When upgrades may begin; absent: at any time. What is broken is replaced at once, and "
            "a restart that a person asks for does not wait."
        ),
    ] = None
