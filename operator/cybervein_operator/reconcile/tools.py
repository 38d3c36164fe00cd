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


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Of a storage class; `expandable` is None where we may not look."""

    exists: bool
    expandable: bool | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API server said to a size of a claim (`uid`), and when (monotonic s)."""

    uid: str
    size: str
    words: str
    at: float


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
    bytes_told: dict[Name, float] = field(default_factory=dict)
    """When the status of a pool was last written (monotonic s)."""
    classes: dict[str, tuple[float, ClassFacts]] = field(default_factory=dict)
    """Storage classes, and when they were looked at (monotonic s)."""
    refusals: dict[Name, Refusal] = field(default_factory=dict)
    """Sizes of claims that the API server refused."""
