"""Where copies of a founded network's ledger go, and where it is restored from."""

from typing import Annotated, ClassVar

from msgspec import Meta

from cybervein_operator.api.fields import Count, Quantity, Subdomain, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.rules import exactly_one, fixed


class BucketPlace(Part, frozen=True, kw_only=True):
    """A bucket that speaks S3."""

    bucket: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$", min_length=3, max_length=63)],
        says("Name of the bucket. It must exist."),
    ]
    prefix: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", max_length=256)]
        | None,
        says("Folder in the bucket; absent means its root. Each network has its own below it."),
    ] = None
    endpoint: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$", max_length=280)] | None,
        says("URL of the store; absent means that of AWS for the region."),
    ] = None
    region: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z0-9-]+$", max_length=64)] | None,
        says("Region of the bucket; absent means us-east-1, which most other stores take."),
    ] = None
    secret_name: Annotated[
        Subdomain,
        says("Secret here with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."),
    ]


class BackupClaim(Part, frozen=True, kw_only=True):
    """A claim for snapshots that the operator makes."""

    RULES: ClassVar = (
        fixed(
            "storageClassName",
            "storageClassName cannot change: a claim keeps its class; make one of another class "
            "and name it as existingClaim",
        ),
    )
    size: Annotated[Quantity, says("Size of the claim NET-supernode-backup, as in 20Gi.")]
    storage_class_name: Annotated[
        Subdomain | None,
        says("Its storage class; absent means the cluster's default. Choose other disks."),
    ] = None


class BackupSpec(Part, frozen=True, kw_only=True):
    """Snapshots of the ledger while the super node runs: verified, and read back."""

    RULES: ClassVar = (
        exactly_one(
            ("claimTemplate", "existingClaim", "s3"),
            "a backup goes to exactly one of claimTemplate, existingClaim and s3",
        ),
    )
    every_seconds: Annotated[
        Annotated[int, Meta(ge=10, le=31 * 86_400)],
        says("Seconds between two snapshots. What came after the last one is lost with a volume."),
    ] = 3600
    keep: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)], says("How many snapshots are kept; older ones go.")
    ] = 24
    claim_template: Annotated[
        BackupClaim | None, says("Make a claim for them. It is kept when the Network goes.")
    ] = None
    existing_claim: Annotated[
        Subdomain | None, says("A claim of this namespace that the super node's node can mount.")
    ] = None
    s3: Annotated[BucketPlace | None, says("A bucket.")] = None


class RecoverySpec(Part, frozen=True, kw_only=True):
    """What an empty volume is filled from; without effect where there is a ledger."""

    RULES: ClassVar = (
        exactly_one(("fromClaim", "fromS3"), "recover from exactly one of fromClaim and fromS3"),
    )
    from_claim: Annotated[Subdomain | None, says("Claim of this namespace with snapshots.")] = None
    from_s3: Annotated[BucketPlace | None, says("Bucket with snapshots.")] = None
    snapshot: Annotated[
        Annotated[str, Meta(pattern=r"^(latest|[0-9]{8}T[0-9]{6}Z-[0-9]+)$", max_length=64)],
        says("Name of the snapshot, as `cybervein supernode snapshots` lists them, or latest."),
    ] = "latest"


class BackupStatus(Part, frozen=True, kw_only=True):
    """The newest snapshot, as the super node tells it."""

    snapshot: Annotated[Annotated[str, Meta(max_length=64)], says("Its name.")]
    time: Annotated[str, says("When it was taken.", format="date-time")]
    height: Annotated[Count, says("Number of the last block in it.")]
    size: Annotated[Count, says("Bytes of its files, without evidence.")]


class RecoveredStatus(Part, frozen=True, kw_only=True):
    """The last restore: what is gone for good, as far as it had been seen."""

    snapshot: Annotated[Annotated[str, Meta(max_length=64)], says("What was restored.")]
    time: Annotated[str, says("When.", format="date-time")]
    height: Annotated[Count, says("Number of the last block that was restored.")]
    last_seen_height: Annotated[
        Count, says("The highest block that the operator had seen before; there may be later ones.")
    ]
    blocks_lost: Annotated[Count, says("How many of those are gone, at least.")]
