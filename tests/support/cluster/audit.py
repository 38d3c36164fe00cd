"""What the API server was asked, by whom: its audit log, read back."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "None", "nonResourceURLs": ["/readyz*", "/livez*", "/healthz*"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True)
class Call:
    """One finished request. `resource` has its subresource, such as `pods/status`."""

    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    at: str

    @property
    def writes(self) -> bool:
        """Whether it may have changed something."""
        return self.verb not in {"get", "list", "watch"}


def _call(event: dict[str, Any]) -> Call:
    target = event.get("objectRef", {})
    parts = [target.get("resource", event["requestURI"]), target.get("subresource", "")]
    return Call(
        user=event["user"].get("username", ""),
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        at=event["stageTimestamp"],
    )


@dataclass(frozen=True)
class AuditLog:
    """The log of one API server, over all its restarts. A watch is logged when it ends."""

    path: Path

    def mark(self) -> int:
        """The place where the log ends now; hand it to `calls` as `since`."""
        return self.path.stat().st_size if self.path.exists() else 0

    def calls(self, *, since: int = 0, user: str = "", agent: str = "") -> list[Call]:
        """Calls after a mark, by users and user agents that contain the given texts."""
        found = (_call(event) for event in self._events(since))
        return [call for call in found if user in call.user and agent in call.agent]

    def counts(self, *, since: int = 0, user: str = "", agent: str = "") -> Counter[str]:
        """How often each `verb resource` was asked."""
        calls = self.calls(since=since, user=user, agent=agent)
        return Counter(f"{call.verb} {call.resource}" for call in calls)

    def _events(self, since: int) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n"):  # the last line may be in the middle of being written
                    yield json.loads(line)
