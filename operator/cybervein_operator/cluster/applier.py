"""Server-side apply of a manifest only where something differs; what was foreign is counted.

An object is left alone while its fingerprint is the one that our own last apply of the same
manifest had. A thousand miners at rest therefore cost no call. An object that was never seen is
applied without force: if another manager's fields conflict and the object is not labelled ours,
somebody else's object has our name, and is not touched. `remaking` has what is done with an object
of ours that cannot be put right.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec
from cybervein_protocol.errors import ConflictError

from cybervein_operator.api.kinds import BY_KIND, ClusterKind
from cybervein_operator.cluster.client import FIELD_MANAGER, ClusterClient, Object
from cybervein_operator.cluster.errors import CONFLICT, UNPROCESSABLE, ApiError
from cybervein_operator.cluster.remaking import REMADE, Remaker
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import Seen
from cybervein_operator.observed.shapes import Item
from cybervein_operator.observed.store import FactStore

_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
Mark = tuple[bytes, str, str]
Drifted = Callable[[ClusterKind, str, str], None]


class Applier:
    """Remembers what was applied to each object, and with which result."""

    def __init__(self, client: ClusterClient, store: FactStore, drifted: Drifted) -> None:
        self._client, self._store, self._drifted = client, store, drifted
        self._remaker = Remaker(client)
        self._marks: dict[tuple[ClusterKind, str, str], Mark] = {}

    async def ensure(self, manifest: Object) -> Seen | None:
        """The object is as the manifest says. Raises ConflictError for somebody else's object.

        None, or the old one, while that goes: the next is made with the event of its end.
        """
        kind, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
        key = (kind, meta["namespace"], meta["name"])
        digest = hashlib.blake2b(msgspec.json.encode(manifest), digest_size=12).digest()
        live, mark = self._store.get(*key), self._marks.get(key)
        if live is not None and mark == (digest, live.uid, live.fingerprint):
            return live
        if live is not None and live.deleting and kind in REMADE:
            return live
        now = await self._apply(kind, manifest, known=live is not None)
        if now is None:
            return None
        self._store.put(kind, (meta["namespace"], meta["name"]), now)
        self._marks[key] = (digest, now.uid, now.fingerprint)
        if mark is not None and mark[0] == digest and _changed(live, now):
            self._drifted(*key)
        return now

    def forget(self, kind: ClusterKind, namespace: str, name: str) -> None:
        """The object is gone on purpose."""
        self._marks.pop((kind, namespace, name), None)

    def forget_named(self, namespace: str, prefix: str) -> None:
        """All objects with names that begin so are somebody else's matter now."""
        for key in [each for each in self._marks if each[1] == namespace]:
            if key[2].startswith(prefix):
                del self._marks[key]

    def news(self, kind: ClusterKind, namespace: str, name: str) -> str:
        """What was done to the object beyond an apply, told once; "" if nothing was."""
        return self._remaker.news.pop((kind, namespace, name), "")

    async def _apply(self, kind: ClusterKind, manifest: Object, *, known: bool) -> Seen | None:
        answer: bytes | None
        try:
            answer = await self._client.apply(manifest, force=known)
        except ApiError as error:
            if error.http_status not in {CONFLICT, UNPROCESSABLE}:
                raise
            if not known:
                await self._refuse_foreign(kind, manifest)
            answer = await self._put_right(kind, manifest, error)
        return None if answer is None else seen(kind, msgspec.json.decode(answer, type=Item))

    async def _put_right(
        self, kind: ClusterKind, manifest: Object, refusal: ApiError
    ) -> bytes | None:
        """It is ours: other managers' fields are taken over, or it is made anew."""
        if refusal.http_status == CONFLICT:
            try:
                return await self._client.apply(manifest)
            except ApiError as error:
                refusal = error
        return await self._remaker.remake(kind, manifest, refusal)

    async def _refuse_foreign(self, kind: ClusterKind, manifest: Object) -> None:
        meta = manifest["metadata"]
        found = await self._client.get(kind, meta["namespace"], meta["name"], metadata_only=True)
        labels = (found or {}).get("metadata", {}).get("labels") or {}
        if found is not None and labels.get(_MANAGED_BY) != FIELD_MANAGER:
            raise ConflictError(
                f"{kind.resource.kind} {meta['name']} exists and is not the operator's; rename "
                "one of the two"
            )


def _changed(before: Seen | None, after: Seen) -> bool:
    return before is None or before.uid != after.uid or before.version != after.version
