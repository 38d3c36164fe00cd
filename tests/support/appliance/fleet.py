"""The pool as a person sees it: phases, ready miners, identities, and what stays behind."""

import json
from dataclasses import dataclass

from cluster.api import Api
from cluster.kubectl import Kubectl
from cluster.kwok import is_ready
from cluster.rest import Object
from waiting import until

from appliance.program import PROGRAM

POOL = "pool"
LIST_PLOTS = """
import json, pathlib
found = pathlib.Path("/var/lib/cybervein/disks").rglob("*.plot")
print(json.dumps({str(each): each.stat().st_mtime_ns for each in found}))
"""
PLOTS = ("python3", "-S", "-c", LIST_PLOTS)


@dataclass
class Fleet:
    """One MinerPool in one namespace. `down_max` is the most miners seen down at once."""

    api: Api
    kubectl: Kubectl
    down_max: int = 0

    def pool(self) -> Object:
        """The MinerPool."""
        found = self.api.get("minerpool", POOL)
        assert found is not None, "the MinerPool is gone"
        return found

    def scale(self, replicas: int) -> None:
        """`kubectl scale`, as an autoscaler does it."""
        self.kubectl("scale", "minerpool", POOL, f"--replicas={replicas}")

    def pods(self) -> list[Object]:
        """Pods of the pool's miners, in the order of their names."""
        found = self.api.list("pods", labels=f"cybervein.io/pool={POOL}")
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def uids(self) -> dict[str, str]:
        """Which pod each miner has: another one after each replacement."""
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in self.pods()}

    def images(self) -> set[str]:
        """Images that the miners' pods were made with."""
        return {c["image"] for pod in self.pods() for c in pod["spec"]["containers"]}

    def look(self, miners: int) -> None:
        """Count how many of so many miners are down at this moment."""
        up = sum(
            is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in self.pods()
        )
        self.down_max = max(self.down_max, miners - up)

    def ready(self, miners: int) -> None:
        """Wait until exactly so many miners are there and all of them are Ready."""

        def reached() -> bool:
            status = self.pool().get("status", {})
            counts = status.get("replicas"), status.get("readyReplicas")
            return counts == (miners, miners) and len(self.pods()) == miners

        until(
            reached,
            f"{miners} miners are Ready",
            every_seconds=1,
            diagnose=self.describe,
        )

    def updated(self, image: str, miners: int) -> None:
        """Wait until every miner runs `image`, noting how many were down on the way."""

        def reached() -> bool:
            self.look(miners)
            status = self.pool().get("status", {})
            same = self.images() == {image} and status.get("updatedReplicas") == miners
            return same and status.get("readyReplicas") == miners

        until(
            reached,
            f"{miners} miners run {image}",
            every_seconds=0.5,
            diagnose=self.describe,
        )

    def others_run(self, image: str) -> None:
        """Wait until operator and super node are Ready and run `image`."""

        def reached() -> bool:
            selector = "app.kubernetes.io/name=cybervein,!cybervein.io/pool"
            pods = self.api.list("pods", labels=selector)
            images = {each["image"] for pod in pods for each in pod["spec"]["containers"]}
            return images == {image} and all(is_ready(pod) for pod in pods)

        until(
            reached,
            f"operator and super node run {image}",
            every_seconds=1,
            diagnose=self.describe,
        )

    def kept(self) -> dict[str, str]:
        """Names and uids of what must outlive the release: identities, claims, certificates."""
        found = [
            each
            for kind in ("secrets", "persistentvolumeclaims")
            for each in self.api.list(kind, labels="app.kubernetes.io/name=cybervein")
        ]
        return {f"{e['kind']}/{e['metadata']['name']}": e["metadata"]["uid"] for e in found}

    def disks(self) -> dict[str, str]:
        """The id that each disk's own marker has, by MinerDisk."""
        found = self.api.list("minerdisks")
        return {e["metadata"]["name"]: e.get("status", {}).get("diskId", "") for e in found}

    def programs(self) -> dict[str, str]:
        """Which program each container of the release has."""
        pods = self.api.list("pods", labels="app.kubernetes.io/name=cybervein")
        return {
            f"{name}/{container['name']}": self._run(name, container["name"], PROGRAM).strip()
            for pod in pods
            for name in [pod["metadata"]["name"]]
            for container in pod["spec"]["containers"]
        }

    def plots(self) -> dict[str, dict[str, int]]:
        """Each plot file of each miner, and when it was written, in ns."""
        return {
            name: json.loads(self._run(name, "miner", PLOTS))
            for name in [pod["metadata"]["name"] for pod in self.pods()]
        }

    def _run(self, pod: str, container: str, command: tuple[str, ...]) -> str:
        return self.kubectl("exec", pod, "-c", container, "--", *command)

    def describe(self) -> str:
        """What a person would look at when it makes no progress."""
        views = (
            ("get", "networks,minerpools,minerdisks,pods,services", "-o", "wide"),
            ("get", "minerpool", POOL, "-o", "jsonpath={.status}"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "-l", "app.kubernetes.io/component=operator", "--tail=60"),
        )
        return "\n".join(self._view(*view) for view in views)

    def _view(self, *arguments: str) -> str:
        try:
            return self.kubectl(*arguments)
        except RuntimeError as error:
            return str(error)
