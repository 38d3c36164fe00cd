"""Whether something that is watched is there: it was listed, and is not refused since.

Each watch has one, and each namespace stands on its own: what is refused in one is told, asked for
again, and stops nothing elsewhere. An API server that has just started denies everything for a
second, until it knows the roles, so a refusal counts when it has lasted.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import FORBIDDEN, NOT_FOUND

LASTING_SECONDS: Final = 5.0
_WORDS_MAX: Final = 300


class WatchedKind:
    """One kind in one namespace ("" is all)."""

    def __init__(
        self,
        kind: ClusterKind,
        namespace: str = "",
        *,
        optional: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind, self.namespace, self.optional, self._clock = kind, namespace, optional, clock
        self.listener: Callable[[], None] = lambda: None
        self.tried = asyncio.Event()
        """Listed or refused once: there is an answer."""
        self.refusal = ""
        """The API server's words while it refuses, or ""."""
        self._listed, self._since = False, 0.0

    @property
    def there(self) -> bool:
        """It was listed, and no refusal has lasted since."""
        return self._listed

    def listed(self) -> None:
        """The API server gave the whole list."""
        news = not self._listed or bool(self.refusal)
        self._listed, self.refusal = True, ""
        self.tried.set()
        if news:
            self.listener()

    def refused(self, status: int, words: str) -> bool:
        """It said no; returns whether that is about rights or the kind, and the first time."""
        if status not in {FORBIDDEN, NOT_FOUND}:
            return False
        now, first = self._clock(), not self.refusal
        self.refusal = _said(self.kind, status, words)
        self._since = now if first else self._since
        lasts = now - self._since >= LASTING_SECONDS
        news = not self.tried.is_set() or (self._listed and lasts)
        self._listed = self._listed and not lasts
        self.tried.set()
        if news:
            self.listener()
        return first


def _said(kind: ClusterKind, status: int, words: str) -> str:
    """A list of a kind that exists is never "not found", whatever the namespace."""
    if status == NOT_FOUND:
        return f"the API server has no kind {kind.resource.kind} ({kind.resource.api_version})"
    return words[:_WORDS_MAX]
