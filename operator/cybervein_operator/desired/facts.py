"""What the operator observed and the objects depend on, beside the spec."""

from dataclasses import dataclass
from typing import Final

from cybervein_operator.api import PoolDisk
from cybervein_operator.desired import names

DISKS_DIR: Final = "/var/lib/cybervein/disks"
"""Where a pod mounts its disks, each under its name."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """A network as miners need it: the super node's URL, and the ConfigMap with `network.json`."""

    name: str
    url: str
    config_map: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk as a pod mounts it: exactly one of a claim's name and a directory of the node."""

    name: str
    claim: str = ""
    host_path: str = ""


@dataclass(frozen=True, slots=True)
class MinerFacts:
    """What a miner's pod depends on beside its pool's spec.

    `image` is the operator's own, for pools that name none.
    `control` is the address of the operator's control key, `url` what `miner.url` gave. `leaving`
    are disks that are no longer in the spec and not yet drained: they stay mounted until they are.
    `owner` is whom the miner names as its operator where the spec names nobody.
    """

    network: NetworkFacts
    image: str
    control: str
    url: str
    version: str = ""
    leaving: tuple[Volume, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    restart: str = ""
    """What was asked for last about its restart: another text is another pod."""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SuperNodeFacts:
    """What a super node's pod depends on beside its network's spec.

    `private_authority` says that the certificate's Secret has a `ca.crt` to be published,
    `identity` that the Secret with its key exists: a network of 0.2.0 has it on the volume alone.
    """

    image: str
    version: str = ""
    private_authority: bool = True
    identity: bool = False
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MinerServiceFacts:
    """What a cluster gave a miner's Service; empty until it has."""

    node_port: int = 0
    ingress: str = ""


def volume_of(pool: str, ordinal: int, disk: PoolDisk) -> Volume:
    """Where a disk of the spec lies for one miner."""
    if disk.host_path is not None:
        return Volume(disk.name, host_path=disk.host_path)
    if disk.existing_claims is not None:
        return Volume(disk.name, claim=disk.existing_claims[ordinal])
    return Volume(disk.name, claim=names.disk(pool, ordinal, disk.name))
