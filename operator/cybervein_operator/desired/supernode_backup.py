"""Where a super node's snapshots go and come from, as its pod has it: arguments, mounts, keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cybervein_operator.api import Network
from cybervein_operator.api.backup import BackupSpec, BucketPlace, RecoverySpec
from cybervein_operator.desired import names
from cybervein_operator.desired.metadata import kept
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.pod import claim, claim_volume, given, mount

BACKUP_DIR: Final = "/var/lib/cybervein-backup"
RECOVERY_DIR: Final = "/var/lib/cybervein-recovery"
DEFAULT_REGION: Final = "us-east-1"
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Of one container: where the vault is, and what it must be given to reach it."""

    target: str
    mounts: tuple[Object, ...] = ()
    env: tuple[Object, ...] = ()


def backup(network: Network) -> tuple[BackupSpec, Keeping] | None:
    """Where snapshots go, if anywhere."""
    node = network.spec.super_node
    wish = node.backup if node else None
    if wish is None:
        return None
    if wish.s3 is not None:
        return wish, _bucket(wish.s3)
    return wish, Keeping(BACKUP_DIR, (mount("backup", BACKUP_DIR),))


def recovery(network: Network) -> tuple[RecoverySpec, Keeping] | None:
    """Where they come from, if from anywhere."""
    wish = network.spec.recovery
    if wish is None:
        return None
    if wish.from_s3 is not None:
        return wish, _bucket(wish.from_s3)
    if wish.from_claim == _backup_claim(network):  # one volume: a claim twice in a pod hangs it
        return wish, Keeping(BACKUP_DIR, (mount("backup", BACKUP_DIR, read_only=True),))
    return wish, Keeping(RECOVERY_DIR, (mount("recovery", RECOVERY_DIR, read_only=True),))


def volumes(network: Network) -> list[Object]:
    """The claims of both."""
    there, wish = _backup_claim(network), network.spec.recovery
    source = wish.from_claim if wish else None
    found = [claim_volume("backup", there)] if there else []
    return found + ([claim_volume("recovery", source)] if source and source != there else [])


def claims(network: Network) -> list[Object]:
    """The claim for snapshots, where the operator makes it. Kept."""
    node = network.spec.super_node
    wish = node.backup.claim_template if node and node.backup else None
    if wish is None:
        return []
    name = names.backup_claim(network.metadata.name)
    metadata = kept(network, name, names.super_node_labels(network))
    return [claim(metadata, wish.size, wish.storage_class_name)]


def arguments(network: Network) -> Sequence[str]:
    """Of `supernode run`."""
    planned = backup(network)
    if planned is None:
        return ()
    wish, keeping = planned
    return (
        *("--backup", keeping.target, "--backup-seconds", str(wish.every_seconds)),
        *("--backup-keep", str(wish.keep)),
    )


def _backup_claim(network: Network) -> str:
    node = network.spec.super_node
    wish = node.backup if node else None
    if wish is None:
        return ""
    made = names.backup_claim(network.metadata.name) if wish.claim_template else ""
    return wish.existing_claim or made


def _bucket(place: BucketPlace) -> Keeping:
    secret = {"name": place.secret_name}
    keys = [{"name": key, "valueFrom": {"secretKeyRef": secret | {"key": key}}} for key in _KEYS]
    plain = given(AWS_ENDPOINT_URL=place.endpoint) | {"AWS_REGION": place.region or DEFAULT_REGION}
    return Keeping(
        f"s3://{place.bucket}/{place.prefix or ''}".rstrip("/"),
        env=(*({"name": key, "value": value} for key, value in plain.items()), *keys),
    )
