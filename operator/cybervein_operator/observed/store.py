"""Everything that was observed of children and nodes, found by name and by pool."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.observed.facts import Seen

Key = tuple[str, str]
Listener = Callable[[ClusterKind, Key, Seen | None, Seen | None], None]


class FactStore:
    """The newest facts of each object; a listener hears of what changed, with before and after."""

    def __init__(self) -> None:
        self._all: dict[ClusterKind, dict[Key, Seen]] = defaultdict(dict)
        self._by_pool: dict[tuple[ClusterKind, str, str], set[Key]] = defaultdict(set)
        self._by_node: dict[str, set[Key]] = defaultdict(set)
        self.listener: Listener = lambda *_: None

    def get(self, kind: ClusterKind, namespace: str, name: str) -> Seen | None:
        """One object."""
        return self._all[kind].get((namespace, name))

    def of_pool(self, kind: ClusterKind, namespace: str, pool: str) -> Iterator[tuple[str, Seen]]:
        """Names and facts of a pool's objects."""
        for key in self._by_pool.get((kind, namespace, pool), ()):
            yield key[1], self._all[kind][key]

    def of_namespace(self, kind: ClusterKind, namespace: str) -> Iterator[tuple[str, Seen]]:
        """Names and facts of a namespace's objects."""
        for (space, name), seen in self._all[kind].items():
            if space == namespace:
                yield name, seen

    def pods_on(self, node: str) -> Iterator[tuple[Key, Seen]]:
        """The pods of a node."""
        for key in self._by_node.get(node, ()):
            yield key, self._all[ClusterKind.POD][key]

    def claims_last_on(self, node: str) -> Iterator[tuple[str, Seen]]:
        """Namespaces and claims of miners that were stopped on a node."""
        for (space, _), item in self._all[ClusterKind.CLAIM].items():
            if node and getattr(item.facts, "node", "") == node:
                yield space, item

    def count(self, kind: ClusterKind) -> int:
        """How many are known."""
        return len(self._all[kind])

    def replace(self, kind: ClusterKind, namespace: str, items: dict[Key, Seen]) -> None:
        """A whole list: what is not in it is gone."""
        mine = {key for key in self._all[kind] if not namespace or key[0] == namespace}
        for key in mine - items.keys():
            self.drop(kind, key)
        for key, item in items.items():
            self.put(kind, key, item)

    def put(self, kind: ClusterKind, key: Key, item: Seen) -> None:
        """One object is there, or changed. An answer to a write may outrun the watch."""
        before = self._all[kind].get(key)
        if before is not None and before.uid == item.uid and _older(item, before):
            return
        if before is not None:
            self._unlink(kind, key, before)
        self._all[kind][key] = item
        self._link(kind, key, item)
        if before is None or _differs(before, item):
            self.listener(kind, key, before, item)

    def drop(self, kind: ClusterKind, key: Key) -> None:
        """One object is gone."""
        before = self._all[kind].pop(key, None)
        if before is not None:
            self._unlink(kind, key, before)
            self.listener(kind, key, before, None)

    def _link(self, kind: ClusterKind, key: Key, item: Seen) -> None:
        if item.pool:
            self._by_pool[kind, key[0], item.pool].add(key)
        node = getattr(item.facts, "node", "")
        if kind is ClusterKind.POD and node:
            self._by_node[node].add(key)

    def _unlink(self, kind: ClusterKind, key: Key, item: Seen) -> None:
        self._by_pool[kind, key[0], item.pool].discard(key)
        node = getattr(item.facts, "node", "")
        if kind is ClusterKind.POD and node:
            self._by_node[node].discard(key)


def _older(item: Seen, before: Seen) -> bool:
    """Resource versions are opaque by contract and integers in fact; unequal lengths decide too."""
    new, old = item.version, before.version
    return new.isdigit() and old.isdigit() and int(new) < int(old)


def _differs(before: Seen, after: Seen) -> bool:
    return (before.uid, before.fingerprint, before.deleting, before.facts) != (
        after.uid,
        after.fingerprint,
        after.deleting,
        after.facts,
    )
