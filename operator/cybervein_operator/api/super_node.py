"""The super node of a `Network` that is founded here."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.backup import BackupSpec
from cybervein_operator.api.fields import (
    Address,
    Quantity,
    Subdomain,
    distinct,
    keyed,
    ordered,
    says,
)
from cybervein_operator.api.meta import Part
from cybervein_operator.api.pod_template import PodTemplate
from cybervein_operator.api.pods import NodeSelector, PodResources, Toleration
from cybervein_operator.api.rules import Rule, exactly_one, fixed
from cybervein_operator.api.service_options import Cidrs, ServiceOptions, fits_type

VEINS_MAX: Final = 9 * 10**18
"""Below 2^63, and exact as a float: the API server reads limits as floats."""


class ServiceType(StrEnum):
    """How the super node is reached."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class Storage(Part, frozen=True, kw_only=True):
    """Where the super node keeps chain, keys and evidence."""

    RULES: ClassVar = (
        exactly_one(
            ("size", "existingClaim"),
            "give either size (a claim is made) or existingClaim (your own), not both",
        ),
        Rule(
            "!has(self.storageClassName) || has(self.size)",
            "storageClassName belongs to size; an existing claim has its class already",
        ),
        fixed(
            "storageClassName",
            "storageClassName cannot change: a claim keeps its class; restore a copy of the data "
            "into a Network of another name",
        ),
    )
    size: Annotated[
        Quantity | None,
        says(
            "Size of the claim NET-supernode-data that is made, as in 20Gi. It may grow where the "
            "storage class lets claims grow; it never shrinks."
        ),
    ] = None
    storage_class_name: Annotated[
        Subdomain | None,
        says("Storage class of that claim; absent means the cluster's default. Immutable."),
    ] = None
    existing_claim: Annotated[
        Subdomain | None, says("Name of a claim of this namespace to use as it is.")
    ] = None


class Fund(Part, frozen=True, kw_only=True):
    """Coins that the genesis gives to an address."""

    address: Annotated[Address, says("Who gets them: a wallet's address, cv….")]
    veins: Annotated[
        Annotated[int, Meta(ge=1, le=VEINS_MAX)], says("How many, in veins, the smallest unit.")
    ]


class NetworkService(ServiceOptions, frozen=True, kw_only=True):
    """The Service of the super node."""

    RULES: ClassVar = (
        *ServiceOptions.RULES,
        *fits_type("self."),
        Rule(
            "!has(self.nodePort) || self.type == 'NodePort'",
            "nodePort is for type NodePort; set the type or leave it out",
        ),
    )
    type: Annotated[
        ServiceType,
        says(
            "ClusterIP: from inside the cluster only. NodePort or LoadBalancer: from outside too."
        ),
    ] = ServiceType.CLUSTER_IP
    node_port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        says("Port on every node, for type NodePort; absent: the cluster chooses one."),
    ] = None


class TlsSpec(Part, frozen=True, kw_only=True):
    """Your own certificate."""

    secret_name: Annotated[
        Subdomain,
        says("Secret of type kubernetes.io/tls, which the operator itself cannot read."),
    ]
    ca_config_map: Annotated[
        Subdomain | None,
        says(
            "ConfigMap with the private authority that signed it, PEM in key ca.crt; absent means "
            "a public one did."
        ),
    ] = None


class SuperNodeSpec(Part, frozen=True, kw_only=True):
    """A super node that founds the network and runs it."""

    RULES: ClassVar = (
        fixed("funds", "superNode.funds cannot change: they are in the network's genesis"),
        fixed("url", "superNode.url cannot change: it is in the network's genesis"),
    )
    storage: Annotated[Storage, says("Where the super node keeps chain, keys and evidence.")]
    funds: Annotated[
        Annotated[tuple[Fund, ...], Meta(max_length=256)] | None,
        keyed("Coins that the genesis gives to addresses. Immutable.", "address"),
    ] = None
    service: Annotated[NetworkService, says("The Service NET-supernode, port 7700, https.")] = (
        NetworkService()
    )
    url: Annotated[
        Annotated[str, Meta(pattern=r"^https://[A-Za-z0-9.\[\]:-]+$", max_length=280)] | None,
        says(
            "URL that is founded and published, https://HOST:PORT; absent means "
            "https://NET-supernode.NAMESPACE.svc:7700, which only this cluster reaches. Immutable."
        ),
    ] = None
    tls: Annotated[
        TlsSpec | None,
        says("Your own certificate; absent: the operator makes and renews one."),
    ] = None
    backup: Annotated[
        BackupSpec | None,
        says("Snapshots of the ledger elsewhere. No key is in them; absent: none are taken."),
    ] = None
    hosts: Annotated[
        Annotated[
            tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:*-]+$", max_length=253)], ...],
            Meta(max_length=32),
        ],
        distinct("Further DNS names and IP addresses in the certificate that the operator makes."),
    ] = ()
    resources: Annotated[
        PodResources | None, says("Compute resources of the super node's container.")
    ] = None
    node_selector: Annotated[
        NodeSelector | None, says("Labels of the nodes on which the super node may run.")
    ] = None
    tolerations: Annotated[
        Annotated[tuple[Toleration, ...], Meta(max_length=32)],
        ordered("Taints of nodes that the super node tolerates."),
    ] = ()
    pod_template: Annotated[
        PodTemplate | None, says("What the pod has beside what the operator says.")
    ] = None
    free_from: Annotated[
        Cidrs,
        distinct(
            "Networks (CIDR) of your own miners, such as the cluster's pods: what they send "
            "without a fee is not limited by address."
        ),
    ] = ()
