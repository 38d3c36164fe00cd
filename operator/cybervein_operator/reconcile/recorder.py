"""Kubernetes events on transitions; the same words about an object at most every ten minutes."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from cybervein_operator.api import API_VERSION, MinerDisk, MinerPool, Network
from cybervein_operator.cluster.client import FIELD_MANAGER, ClusterClient
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.judgement.conditions import Notice
from cybervein_operator.metrics import Metrics

_log = structlog.get_logger()
_AGAIN_SECONDS: Final = 600.0
_REMEMBERED_MAX: Final = 2_000


def rfc3339(now: datetime | None = None) -> str:
    """A time as Kubernetes writes it, in UTC with whole seconds."""
    return (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Reference:
    """What an event is about."""

    api_version: str
    kind: str
    name: str
    namespace: str
    uid: str = ""

    @classmethod
    def to(cls, about: Network | MinerPool | MinerDisk) -> "Reference":
        """One of the three kinds."""
        meta = about.metadata
        return cls(API_VERSION, type(about).__name__, meta.name, meta.namespace, meta.uid)


class Recorder:
    """Posts events; one that cannot be posted is logged and let go."""

    def __init__(
        self,
        client: ClusterClient,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._metrics, self._clock = client, metrics, clock
        self._posted: dict[tuple[str, str, str], float] = {}

    async def post(self, of: Network | MinerPool | MinerDisk | Reference, notice: Notice) -> None:
        """Post one event about an object."""
        about = of if isinstance(of, Reference) else Reference.to(of)
        words = (about.uid or f"{about.namespace}/{about.name}", notice.reason, notice.message)
        now = self._clock()
        if now - self._posted.get(words, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return
        if len(self._posted) >= _REMEMBERED_MAX:
            self._posted.clear()
        self._posted[words] = now
        try:
            await self._client.create(_event(about, notice))
            self._metrics.events.labels(notice.type).inc()
        except (ApiError, ApiAwayError) as error:
            _log.warning(
                "event could not be recorded", reason=notice.reason, error=str(error)[:200]
            )


def _event(about: Reference, notice: Notice) -> dict[str, object]:
    now = rfc3339()
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{about.name}.{secrets.token_hex(8)}",
            "namespace": about.namespace,
        },
        "involvedObject": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "name": about.name,
            "namespace": about.namespace,
        }
        | ({"uid": about.uid} if about.uid else {}),
        "type": notice.type,
        "reason": notice.reason,
        "message": notice.message,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": os.environ.get("HOSTNAME", FIELD_MANAGER),
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
