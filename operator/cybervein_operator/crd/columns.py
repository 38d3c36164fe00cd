"""What `kubectl get` shows of each kind at a glance; priority 1 only with `-o wide`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column: heading, JSON path, type, explanation."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    wide: bool = False

    def schema(self) -> dict[str, object]:
        """As an item of `additionalPrinterColumns`."""
        return {
            "name": self.name,
            "type": self.type,
            "jsonPath": self.path,
            **({"description": self.description} if self.description else {}),
            **({"priority": 1} if self.wide else {}),
        }


def _condition(name: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{name}")].{field}'


_READY: Final = Column("Ready", _condition("Ready", "status"), description="Whether all is well.")
_WHY: Final = Column("Reason", _condition("Ready", "reason"), description="Why Ready is so.")
_PAUSED: Final = Column(
    "Paused", _condition("Paused", "status"), description="Looked at only, by a person's wish."
)
_AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")

NETWORK: Final = (
    _READY,
    _WHY,
    Column("Preset", ".spec.preset", description="Table of the protocol's numbers."),
    Column("Epoch", ".status.epoch", "integer", "The running epoch."),
    Column("Height", ".status.height", "integer", "Number of the last block."),
    Column("Miners", ".status.miners", "integer", "Miners registered in the network."),
    _PAUSED,
    Column("Snapshot", ".status.backup.time", "date", "Age of the newest one.", wide=True),
    Column("URL", ".status.url", description="URL of the super node.", wide=True),
    Column("CID", ".status.network", description="The network's name for everybody.", wide=True),
    _AGE,
)

POOL: Final = (
    Column("Miners", ".spec.replicas", "integer", "How many miners are asked for."),
    Column("Ready", ".status.readyReplicas", "integer", "Miners in phase Ready."),
    Column("Draining", ".status.phases.Draining", "integer", "Miners that are being emptied."),
    Column("Updated", ".status.updatedReplicas", "integer", "Miners that run what is asked now."),
    Column(
        "Bytes", ".status.usage", description="Bytes of plots and shards, out of the disks' size."
    ),
    Column("Status", _condition("Ready", "reason"), description="Why the pool is Ready or not."),
    _PAUSED,
    Column(
        "Registered",
        _condition("Registered", "status"),
        description="Whether the ledger has what the spec asks for.",
        wide=True,
    ),
    Column("Network", ".spec.networkRef.name", description="The network.", wide=True),
    Column("Message", _condition("Ready", "message"), description="What the state is.", wide=True),
    _AGE,
)

DISK: Final = (
    Column("Phase", ".status.phase", description="Where the disk stands."),
    Column("Miner", ".spec.miner", description="The miner that has it."),
    Column("Node", ".status.node", description="Node on which that miner runs."),
    Column(
        "Bytes", ".status.usage", description="Bytes of plots and shards, out of the disk's size."
    ),
    Column("Plots", ".status.plots", "integer", "Plots on the disk."),
    Column("Shards", ".status.shards", "integer", "Customers' shards on the disk."),
    Column("Claim", ".spec.claim", description="The claim behind the disk.", wide=True),
    Column("Disk-ID", ".status.diskId", description="What wipe must repeat.", wide=True),
    Column(
        "Message", ".status.message", description="What the state is, and what to do.", wide=True
    ),
    _AGE,
)
