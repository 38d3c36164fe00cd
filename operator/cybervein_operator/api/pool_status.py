"""What the operator says of a pool and of its miners."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cybervein_operator.api.fields import Count, Image, MinerName, keyed, ordered, says
from cybervein_operator.api.meta import Condition, Part
from cybervein_operator.api.pool_parts import FailureDomain

ATTENTION_MAX: Final = 50


class MinerPhase(StrEnum):
    """Where one miner stands."""

    PENDING = "Pending"
    STARTING = "Starting"
    READY = "Ready"
    DEGRADED = "Degraded"
    DRAINING = "Draining"
    DRAINED = "Drained"
    UPDATING = "Updating"
    UNREACHABLE = "Unreachable"
    BLOCKED = "Blocked"


class PoolBytes(Part, frozen=True, kw_only=True):
    """Bytes of all miners of the pool."""

    plots: Annotated[Count, says("Bytes of plots on the disks.")] = 0
    shards: Annotated[Count, says("Bytes of customers' shards on the disks.")] = 0
    total: Annotated[Count, says("Size of the disks.")] = 0
    free: Annotated[Count, says("Bytes that are free on the disks.")] = 0


class PoolRegistration(Part, frozen=True, kw_only=True):
    """What the ledger has of the pool's miners and cannot change, stopped miners included."""

    miners: Annotated[Count, says("Miners of this pool that the ledger knows.")] = 0
    owner: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        says("The owner of them all; absent where they have several."),
    ] = None
    group: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        says("The group of them all; absent where they have several."),
    ] = None
    failure_domain: Annotated[
        FailureDomain | None,
        says("What they were registered with; absent where that was a group for the whole pool."),
    ] = None


class Attention(Part, frozen=True, kw_only=True):
    """A miner that is not Ready."""

    miner: Annotated[MinerName, says("Name of the miner, POOL-N.")]
    phase: Annotated[MinerPhase, says("Where it stands.")]
    reason: Annotated[Annotated[str, Meta(max_length=128)], says("Why, in one word.")] = ""
    message: Annotated[
        Annotated[str, Meta(max_length=1024)], says("What the state is, why, and what to do.")
    ] = ""


class MinerPoolStatus(Part, frozen=True, kw_only=True):
    """What the operator saw."""

    replicas: Annotated[Count | None, says("Miners that exist, draining ones included.")] = None
    ready_replicas: Annotated[Count | None, says("Miners in phase Ready.")] = None
    updated_replicas: Annotated[
        Count | None,
        says(
            "Miners whose pod is the one that the spec asks for now, and whose URL and payout "
            "account the ledger has, if it knows them."
        ),
    ] = None
    selector: Annotated[
        Annotated[str, Meta(max_length=512)] | None,
        says("Label selector of the miners' pods, for autoscalers."),
    ] = None
    observed_generation: Annotated[
        Count | None, says("The generation of the spec that was looked at.")
    ] = None
    conditions: Annotated[
        Annotated[tuple[Condition, ...], Meta(max_length=16)],
        keyed(
            "Ready, Progressing, Degraded, Draining and Registered, each with its reason.", "type"
        ),
    ] = ()
    phases: Annotated[
        Annotated[dict[str, Count], Meta(max_length=16)],
        says(
            "Miners by phase: Pending, Starting, Ready, Degraded, Draining, Drained, Updating, "
            "Unreachable, Blocked."
        ),
    ] = msgspec.field(default_factory=dict)
    bytes: Annotated[PoolBytes | None, says("Bytes of all miners of the pool.")] = None
    usage: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        says("Bytes of plots and shards, out of the size of the disks: 310Gi/400Gi."),
    ] = None
    attention: Annotated[
        Annotated[tuple[Attention, ...], Meta(max_length=ATTENTION_MAX)],
        ordered("Miners that are not Ready, at most fifty; MinerDisks tell more of each disk."),
    ] = ()
    image: Annotated[Image | None, says("Image that the spec asks for now.")] = None
    registered: Annotated[
        PoolRegistration | None,
        says("What the ledger has and cannot change; absent before the first registration."),
    ] = None
