"""What every reconciliation works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cybervein_operator.cluster.applier import Applier
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.metrics import Metrics
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.poller import Poller
from cybervein_operator.reconcile.recorder import Recorder
from cybervein_operator.world import Key, Name, World


@dataclass(slots=True)
class Tools:
    """The world and the ways to change it. `add` puts a key into the queue."""

    world: World
    client: ClusterClient
    applier: Applier
    recorder: Recorder
    metrics: Metrics
    miners: MinerClient
    poller: Poller
    add: Callable[[Key, float], None]
    image: str
    pull_secrets: tuple[str, ...]
    version: str
    control: str
    supernode_url: str
    classes: dict[str, float] = field(default_factory=dict)
    """Storage classes that exist, and when they were seen (monotonic s)."""
    bytes_told: dict[Name, float] = field(default_factory=dict)
    """When the status of a pool was last written (monotonic s)."""
