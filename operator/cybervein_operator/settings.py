"""What `operator run` was told."""

from dataclasses import dataclass
from pathlib import Path

from cybervein_operator.miners.client import DEFAULT_URL


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Options; all have defaults that fit a pod."""

    kubeconfig: Path | None = None
    namespaces: tuple[str, ...] = ()
    own_namespace: str = ""
    release: str = "cybervein"
    pod: str = ""
    lease_seconds: int = 30
    image: str = "cybervein:latest"
    pull_secrets: tuple[str, ...] = ()
    host: str = "0.0.0.0"  # noqa: S104 -- inside a pod; probes come from the node
    port: int = 8080
    miner_url: str = DEFAULT_URL
    supernode_url: str = ""
    polls_per_second: float = 3.0
    poll_seconds: float = 15.0
    workers: int = 16
    concurrency: int = 16
    canary_seconds: float = 60.0

    @property
    def spaces(self) -> tuple[str, ...]:
        """What is watched: the namespaces, or "" for all of them."""
        return self.namespaces or ("",)
