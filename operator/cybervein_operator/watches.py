"""All that is watched: children and nodes by thin watches, the three kinds by lists and kopf."""

import time
from typing import Final

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.presence import WatchedKind
from cybervein_operator.cluster.relist import KindList, Notes
from cybervein_operator.cluster.watch import KindWatch
from cybervein_operator.desired import names
from cybervein_operator.observed.store import FactStore
from cybervein_operator.spaces import WatchedSpace

_CHILDREN: Final = (
    ClusterKind.STATEFUL_SET,
    ClusterKind.SERVICE,
    ClusterKind.CLAIM,
    ClusterKind.POD,
    ClusterKind.BUDGET,
    ClusterKind.CONFIG_MAP,
)
_KINDS: Final = (ClusterKind.DISK, ClusterKind.POOL, ClusterKind.NETWORK)
_MINE: Final = f"app.kubernetes.io/managed-by={names.FIELD_MANAGER}"
_NOT_MINE: Final = f"app.kubernetes.io/managed-by!={names.FIELD_MANAGER}"
_SILENCE_SECONDS_MAX: Final = 600.0


class Watches:
    """Of each namespace ("" is all), and of nodes, which may be denied."""

    def __init__(
        self,
        client: ClusterClient,
        store: FactStore,
        others: FactStore,
        namespaces: tuple[str, ...],
    ) -> None:
        self._client, self._namespaces = client, namespaces
        made = [
            KindWatch(client, kind, store, namespace=space, selector=_MINE)
            for kind in _CHILDREN
            for space in namespaces
        ]
        made += [
            KindWatch(client, ClusterKind.CLAIM, others, namespace=space, selector=_NOT_MINE)
            for space in namespaces
        ]
        self.all = [*made, KindWatch(client, ClusterKind.NODE, store, optional=True)]

    def spaces(self, notes: Notes) -> list[WatchedSpace]:
        """The watched namespaces, each with all that must be there."""
        return [self._space(each, notes) for each in self._namespaces]

    def presences(self) -> list[WatchedKind]:
        """Of all, nodes too."""
        return [each.presence for each in self.all]

    def trouble(self) -> str:
        """Which watches have been silent for so long that a restart would help, or ""."""
        now = time.monotonic()
        dead = [
            each.kind.resource.kind
            for each in self.all
            if each.connected and now - each.last_seen > _SILENCE_SECONDS_MAX
        ]
        return f"watches of {', '.join(dead)} have been silent for ten minutes" if dead else ""

    def _space(self, name: str, notes: Notes) -> WatchedSpace:
        lists = tuple(KindList(self._client, kind, notes, name) for kind in _KINDS)
        watched = [
            each.presence
            for each in self.all
            if each.namespace == name and not each.presence.optional
        ]
        return WatchedSpace(name, (*(each.presence for each in lists), *watched), lists)
