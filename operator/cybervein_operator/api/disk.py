"""`MinerDisk`: one disk of one miner, the per-disk truth."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.fields import (
    POOL_NAME_MAX,
    Address,
    Count,
    MinerName,
    Subdomain,
    keyed,
    says,
)
from cybervein_operator.api.meta import Condition, Metadata, Part
from cybervein_operator.api.pool_parts import DiskName
from cybervein_operator.api.pool_status import MinerPhase
from cybervein_operator.api.rules import Rule, exactly_one

DISK_OBJECT_NAME_MAX: Final = 63


class DiskPhase(StrEnum):
    """Where one disk stands."""

    PENDING = "Pending"
    IN_USE = "InUse"
    DRAINING = "Draining"
    DRAINED = "Drained"
    READ_ONLY = "ReadOnly"
    MISSING = "Missing"
    FOREIGN = "Foreign"
    FAILED = "Failed"
    WIPED = "Wiped"
    STOPPED = "Stopped"


class MinerDiskSpec(Part, frozen=True, kw_only=True):
    """Which disk this is (the operator writes it), and what a person wants done with it."""

    RULES: ClassVar = (
        exactly_one(("claim", "hostPath"), "a disk is on exactly one of claim and hostPath"),
        Rule(
            "self.pool == oldSelf.pool && self.miner == oldSelf.miner && self.disk == oldSelf.disk",
            "pool, miner and disk cannot change: the operator writes them",
        ),
        Rule(
            "!has(self.wipe) || self.wipe == '' || (has(self.drain) && self.drain)",
            "wipe needs drain: true: a disk is emptied before its files are deleted",
            ".wipe",
        ),
    )
    pool: Annotated[
        Annotated[str, Meta(max_length=POOL_NAME_MAX)],
        says("Name of the MinerPool. Written by the operator."),
    ]
    miner: Annotated[MinerName, says("Name of the miner, POOL-N. Written by the operator.")]
    disk: Annotated[DiskName, says("Name of the disk in the pool. Written by the operator.")]
    claim: Annotated[
        Subdomain | None, says("The claim behind the disk. Written by the operator.")
    ] = None
    host_path: Annotated[
        Annotated[str, Meta(max_length=512)] | None,
        says("The directory on the node behind the disk. Written by the operator."),
    ] = None
    drain: Annotated[
        bool | None,
        says(
            "Written by a person: true empties the disk. Its plots stop counting, its shards move "
            "to other disks and miners; false takes it into use again."
        ),
    ] = None
    wipe: Annotated[
        Annotated[str, Meta(max_length=128)] | None,
        says(
            "Written by a person: the value of status.diskId deletes CyberVein's files on this "
            "disk, once it is Drained. Nothing else on it is touched."
        ),
    ] = None


class MinerDiskStatus(Part, frozen=True, kw_only=True):
    """What the miner said about the disk."""

    conditions: Annotated[
        Annotated[tuple[Condition, ...], Meta(max_length=16)],
        keyed("Ready, Progressing, Degraded and Draining, each with its reason.", "type"),
    ] = ()
    observed_generation: Annotated[
        Count | None, says("The generation of the spec that was looked at.")
    ] = None
    phase: Annotated[
        DiskPhase | None,
        says(
            "Pending (no word yet), InUse, Draining, Drained, ReadOnly (or full), Missing (not "
            "mounted), Foreign (of another miner, or another disk), Failed (I/O errors), Wiped, "
            "Stopped (with its drained miner)."
        ),
    ] = None
    disk_id: Annotated[
        Annotated[str, Meta(max_length=128)] | None,
        says("Identity of the disk from its signed marker: what wipe must repeat."),
    ] = None
    address: Annotated[Address | None, says("The miner's key, as an address.")] = None
    miner_phase: Annotated[MinerPhase | None, says("Where the miner stands.")] = None
    node: Annotated[Subdomain | None, says("Node on which the miner runs.")] = None
    bytes_total: Annotated[Count | None, says("Size of the disk in bytes.")] = None
    bytes_free: Annotated[Count | None, says("Bytes that are free.")] = None
    plots: Annotated[Count | None, says("Plots on the disk.")] = None
    plot_bytes: Annotated[Count | None, says("Bytes of plots.")] = None
    shards: Annotated[Count | None, says("Customers' shards on the disk.")] = None
    shard_bytes: Annotated[Count | None, says("Bytes of customers' shards.")] = None
    usage: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        says("Bytes of plots and shards, out of the disk's size: 310Gi/400Gi."),
    ] = None
    message: Annotated[
        Annotated[str, Meta(max_length=1024)] | None,
        says("What the state is, why, and what to do."),
    ] = None


class MinerDisk(Part, frozen=True, kw_only=True):
    """One disk of one miner: what it holds, its state, and whether it is drained."""

    RULES: ClassVar = (
        Rule(
            "self.metadata.name == self.spec.miner + '-' + self.spec.disk",
            "the name of a MinerDisk is MINER-DISK; the operator makes them",
        ),
        Rule(
            "!has(self.spec.wipe) || self.spec.wipe == '' || "
            "(has(oldSelf.spec.wipe) && self.spec.wipe == oldSelf.spec.wipe) || "
            "(has(self.status) && has(self.status.phase) && self.status.phase == 'Drained')",
            "wipe is accepted only for a disk in phase Drained; set drain: true and wait for it",
            ".spec.wipe",
        ),
        Rule(
            "!has(self.spec.wipe) || self.spec.wipe == '' || "
            "(has(oldSelf.spec.wipe) && self.spec.wipe == oldSelf.spec.wipe) || "
            "(has(self.status) && has(self.status.diskId) && self.spec.wipe == self.status.diskId)",
            "wipe must repeat status.diskId: kubectl get cvdisk NAME -o "
            "jsonpath='{.status.diskId}'",
            ".spec.wipe",
        ),
    )
    metadata: Metadata
    spec: Annotated[MinerDiskSpec, says("Which disk this is, and what is to be done with it.")]
    status: Annotated[MinerDiskStatus, says("What the miner said about the disk.")] = (
        MinerDiskStatus()
    )
