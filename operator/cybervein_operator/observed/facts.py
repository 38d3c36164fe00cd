"""What is kept of each watched object: a few facts, never the object.

A thousand miners have some seven thousand objects; as parsed JSON they would take a hundred times
what the decisions need. `fingerprint` stands for everything in an object that is ours to set, so
that a foreign edit is noticed without keeping either side. `extract` makes these.
"""

from datetime import datetime
from typing import Final

import msgspec

PREFIX: Final = "cybervein.io/"
POOL_LABEL: Final = PREFIX + "pool"
MINER_LABEL: Final = PREFIX + "miner"
NETWORK_LABEL: Final = PREFIX + "network"
TEMPLATE: Final = PREFIX + "template"
ADDRESS: Final = PREFIX + "address"
NODE: Final = PREFIX + "node"
OWNER: Final = PREFIX + "owner"
DRAIN: Final = PREFIX + "drain"
RESTART: Final = PREFIX + "restart"
AUTOSCALER_TAINT: Final = "ToBeDeletedByClusterAutoscaler"


GROWS: Final = "grows"
WAITS_FOR_POD: Final = "waits for the pod"
FAILED: Final = "failed"


class SetFacts(msgspec.Struct, frozen=True):
    """Of a StatefulSet: hash of the template it was applied with, and its newest revision."""

    template: str
    revision: str
    settled: bool
    """The controller has seen the newest generation."""
    restart: str = ""
    """The restart that its pod was made for."""


class PodFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of a pod. Reason and message are empty while all goes its way.

    `unscheduled` is since when no node takes it, `refused` which init container ended in an error
    and with which words, while none of its later runs has succeeded; `creating` whether its node
    has it and has started nothing of it: what keeps it is then in its events alone.
    """

    ready: bool
    running: bool
    node: str
    revision: str
    reason: str
    message: str
    unscheduled: datetime | None = None
    refused: tuple[str, str] | None = None
    creating: bool = False


class ClaimFacts(msgspec.Struct, frozen=True):
    """Of a claim: bound or not, the miner's address on it, the node its miner was last on.

    `owner` is the one that its miner was made with; "" on claims of version 0.2.0.
    `capacity` is what its volume has in bytes, 0 while that is not known; `requested` and `holds`
    are quantities as the API server writes them, of the claim and of its volume (`volume`).
    """

    phase: str
    storage_class: str | None
    address: str
    node: str
    owner: str = ""
    capacity: int = 0
    requested: str = ""
    holds: str = ""
    volume: str = ""
    growth: str = ""
    """One of `GROWS`, `WAITS_FOR_POD` and `FAILED`, or "" where nobody says that it grows."""
    words: str = ""
    """What Kubernetes says of the growth."""


class ServiceFacts(msgspec.Struct, frozen=True):
    """Of a Service: the node port of its first port, and a load balancer's address."""

    node_port: int
    balancer: str


class NodeFacts(msgspec.Struct, frozen=True):
    """Of a node: why its miners are drained, "" if they are not; who says that it is away.

    `cordoned`: it takes no new pod, as somebody is about to work on it.
    """

    drain: str
    cordoned: bool = False
    trouble: str = ""


Facts = SetFacts | PodFacts | ClaimFacts | ServiceFacts | NodeFacts | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One object."""

    uid: str
    version: str
    fingerprint: str
    pool: str
    miner: str
    network: str
    deleting: bool
    facts: Facts
