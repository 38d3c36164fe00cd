"""`Network`: one that a super node here founds, or one that is joined."""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from cybervein_operator.api.backup import BackupStatus, RecoveredStatus, RecoverySpec
from cybervein_operator.api.fields import (
    Address,
    Image,
    Subdomain,
    distinct,
    keyed,
    says,
)
from cybervein_operator.api.meta import Condition, Metadata, Part
from cybervein_operator.api.pods import PullPolicy, PullSecrets
from cybervein_operator.api.rules import Rule, exactly_one, fixed
from cybervein_operator.api.super_node import SuperNodeSpec


class NetworkPreset(StrEnum):
    """The table of the protocol's numbers."""

    TEST = "test"
    LOCAL = "local"
    MAIN = "main"


class Join(Part, frozen=True, kw_only=True):
    """A network that was founded elsewhere."""

    config_map: Annotated[
        Subdomain, says("ConfigMap of this namespace with the network's file, key network.json.")
    ]


class NetworkSpec(Part, frozen=True, kw_only=True):
    """Exactly one of superNode and join."""

    RULES: ClassVar = (
        exactly_one(
            ("superNode", "join"),
            "give exactly one of superNode (found a network here) and join (mine in one that was "
            "founded elsewhere)",
        ),
        Rule(
            "has(self.superNode) == has(oldSelf.superNode)",
            "superNode and join cannot be swapped: that would be another network; create a "
            "Network of another name",
        ),
        Rule(
            "!has(self.superNode) || has(self.preset)",
            "preset is required where a network is founded: test, local or main",
        ),
        Rule(
            "!has(self.join) || !has(self.epochSeconds)",
            "epochSeconds is for founding; a network that is joined has its own",
        ),
        Rule(
            "!has(self.recovery) || has(self.superNode)",
            "recovery is for a network whose super node runs here; with join, its own super node "
            "is restored",
        ),
        fixed("preset", "preset cannot change: it is in the network's genesis"),
        fixed("epochSeconds", "epochSeconds cannot change: it is in the network's genesis"),
    )
    preset: Annotated[
        NetworkPreset | None,
        says(
            "The table of the protocol's numbers: test (plots of 512 KiB), local (32 MiB) or main "
            "(2 GiB). Required with superNode; with join, what the network is expected to have. "
            "Immutable."
        ),
    ] = None
    epoch_seconds: Annotated[
        Annotated[int, Meta(ge=2, le=604_800)] | None,
        says("Length of an epoch in seconds, if not the preset's; for founding only. Immutable."),
    ] = None
    super_node: Annotated[
        SuperNodeSpec | None, says("Found a network here, with your own super node.")
    ] = None
    recovery: Annotated[
        RecoverySpec | None,
        says(
            "Fill the super node's volume from a snapshot, if it has no ledger; else nothing is "
            "done. Blocks after the snapshot are gone, and others are signed at their heights."
        ),
    ] = None
    join: Annotated[Join | None, says("Mine in a network that was founded elsewhere.")] = None
    image: Annotated[
        Image | None, says("Image of the super node; absent means the operator's own.")
    ] = None
    image_pull_policy: Annotated[
        PullPolicy | None, says("When nodes ask the registry for the image.")
    ] = None
    image_pull_secrets: Annotated[
        PullSecrets,
        distinct("Secrets here that log in to the registry; none means the operator's default."),
    ] = ()


class NetworkStatus(Part, frozen=True, kw_only=True):
    """What the operator saw."""

    conditions: Annotated[
        Annotated[tuple[Condition, ...], Meta(max_length=16)],
        keyed("Ready, Progressing and Degraded, each with its reason.", "type"),
    ] = ()
    observed_generation: Annotated[
        Annotated[int, Meta(ge=0)] | None, says("The generation of the spec that was looked at.")
    ] = None
    network: Annotated[
        Annotated[str, Meta(max_length=128)] | None,
        says("CID of the genesis: the network's name for everybody. Pinned once seen."),
    ] = None
    address: Annotated[Address | None, says("The super node's key, as an address.")] = None
    url: Annotated[Annotated[str, Meta(max_length=280)] | None, says("URL of the super node.")] = (
        None
    )
    config_map: Annotated[
        Subdomain | None,
        says("ConfigMap with the network's file, for miners and clients: key network.json."),
    ] = None
    epoch: Annotated[
        Annotated[int, Meta(ge=0)] | None, says("The running epoch, as the super node told it.")
    ] = None
    height: Annotated[Annotated[int, Meta(ge=0)] | None, says("Number of the last block.")] = None
    backup: Annotated[
        BackupStatus | None, says("The newest snapshot of the ledger, where they are planned.")
    ] = None
    recovered: Annotated[
        RecoveredStatus | None, says("The last restore of the ledger, and what it cost.")
    ] = None
    miners: Annotated[
        Annotated[int, Meta(ge=0)] | None, says("Miners registered in the network.")
    ] = None


class Network(Part, frozen=True, kw_only=True):
    """A network to mine in: one that a super node here founds, or one that is joined."""

    metadata: Metadata
    spec: Annotated[NetworkSpec, says("What the network should be.")]
    status: Annotated[NetworkStatus, says("What the operator saw.")] = NetworkStatus()
