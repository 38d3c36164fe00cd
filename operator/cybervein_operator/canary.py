"""The canary: a ConfigMap that the operator writes and must see again through its own watch.

An operator whose watches have died looks well and does nothing. Every minute a number is written;
if it is not seen within three, `/healthz` answers 500 and the kubelet restarts the pod. While the
number cannot even be written, the API server is away, which no restart cures.
"""

import time
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import structlog

from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.desired import names

NAME: Final = "cybervein-operator-canary"
_PATIENCE: Final = 3
_log = structlog.get_logger()


class Canary:
    """Writes beats and remembers which it saw."""

    LABEL: ClassVar = "cybervein.io/canary"

    def __init__(
        self, namespace: str, period_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._namespace, self._period, self._clock = namespace, period_seconds, clock
        self._beat, self._seen = 0, 0
        self._unseen_since: float | None = None

    async def beat(self, client: ClusterClient) -> None:
        """Write the next number, unless the last is still to be seen."""
        if self._unseen_since is not None:
            return
        number = str(self._beat + 1)
        try:
            await client.apply(self._manifest(number))
        except (ApiError, ApiAwayError) as error:
            _log.warning(
                "canary could not be written; trying again with the next beat",
                error=str(error)[:200],
            )
            return
        self._beat += 1
        if self._seen < self._beat:
            self._unseen_since = self._clock()

    def rest(self) -> None:
        """Another replica writes it: nothing is expected."""
        self._unseen_since = None

    def seen(self, data: Mapping[str, str]) -> None:
        """The watch brought it."""
        number = data.get("beat", "")
        if number.isdigit():
            self._seen = int(number)
        if self._seen >= self._beat:
            self._unseen_since = None

    def trouble(self) -> str:
        """Why the operator should be restarted, or ""."""
        if self._unseen_since is None:
            return ""
        waited = self._clock() - self._unseen_since
        if waited <= _PATIENCE * self._period:
            return ""
        return f"canary beat {self._beat} was written {waited:.0f} s ago and never seen"

    def _manifest(self, number: str) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": NAME,
                "namespace": self._namespace,
                "labels": {
                    "app.kubernetes.io/name": "cybervein",
                    names.COMPONENT: "operator",
                    "app.kubernetes.io/managed-by": names.FIELD_MANAGER,
                    self.LABEL: NAME,
                },
            },
            "data": {"beat": number},
        }
