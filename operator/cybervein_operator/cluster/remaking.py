"""An object of ours that cannot be put right is made anew, where that loses nothing.

A server-side apply sets what is ours and cannot take away what somebody else added: a second port
of the same name, `minAvailable` beside `maxUnavailable`, a mount at the same path. Some fields
cannot change at all. A Service, a StatefulSet of size one and a budget hold nothing of their own;
a claim, a Secret and a ConfigMap do, and are never made anew (ADR 80).

1. Only what the API server calls invalid, and only an object that is labelled ours.
2. Of a Service the lists are first replaced as a whole: it keeps its address and node port.
3. It is not deleted before a dry run says that one as the manifest would be taken.
4. A Service with a load balancer stays: another may have another address.
5. A StatefulSet leaves its pod to the next one, where that one's selector picks it.
6. Once in ten minutes: who undoes it at once would have it made anew without end.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient, Object
from cybervein_operator.cluster.errors import UNPROCESSABLE, ApiError

_log = structlog.get_logger()
REMADE: Final = frozenset({ClusterKind.SERVICE, ClusterKind.STATEFUL_SET, ClusterKind.BUDGET})
_AGAIN_SECONDS: Final = 600.0
_REFUSED_SECONDS: Final = 60.0
_DRY_NAME: Final = "dry-run"
Key = tuple[ClusterKind, str, str]


class Remaker:
    """Makes objects anew, and remembers what it did until somebody tells it."""

    def __init__(self, client: ClusterClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._made: dict[Key, float] = {}
        self._in_vain: dict[Key, tuple[float, ApiError]] = {}
        self.news: dict[Key, str] = {}

    async def remake(self, kind: ClusterKind, manifest: Object, refusal: ApiError) -> bytes | None:
        """The object's JSON, or None while the old one goes: its end is an event.

        Raises the refusal, with what is in the way, where it cannot be made anew.
        """
        if refusal.http_status != UNPROCESSABLE or kind not in REMADE:
            raise refusal
        key = (kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        self._not_again(key, refusal)
        try:
            return await self._remade(kind, manifest, refusal)
        except ApiError as error:
            self._in_vain[key] = (self._clock(), error)
            raise

    def _not_again(self, key: Key, refusal: ApiError) -> None:
        """Raises what was found lately, or the refusal where somebody undid what we did."""
        now = self._clock()
        at, error = self._in_vain.pop(key, (-_REFUSED_SECONDS, refusal))
        if now - at < _REFUSED_SECONDS:
            self._in_vain[key] = (at, error)
            raise error
        if now - self._made.get(key, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            raise _with(
                refusal,
                "it was made anew some minutes ago and is changed again: its "
                "metadata.managedFields name who does it; end that",
            )

    async def _remade(self, kind: ClusterKind, manifest: Object, refusal: ApiError) -> bytes | None:
        meta = manifest["metadata"]
        live = await self._client.get(kind, meta["namespace"], meta["name"])
        if live is None:
            raise refusal
        if live["metadata"].get("deletionTimestamp"):
            return None
        mended = await self._mended(kind, manifest)
        if mended is not None:
            self._tell(kind, meta, f"its lists were replaced as a whole ({refusal.words})")
            return mended
        return await self._anew(kind, manifest, live, refusal)

    async def _mended(self, kind: ClusterKind, manifest: Object) -> bytes | None:
        if kind is not ClusterKind.SERVICE:
            return None
        meta = manifest["metadata"]
        try:
            await self._client.merge(
                kind, meta["namespace"], meta["name"], {"spec": manifest["spec"]}
            )
            return await self._client.apply(manifest)
        except ApiError as error:
            if error.http_status != UNPROCESSABLE:
                raise
            return None

    async def _anew(
        self, kind: ClusterKind, manifest: Object, live: Object, refusal: ApiError
    ) -> bytes | None:
        meta = manifest["metadata"]
        if ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
            raise _with(refusal, "delete it to have it made anew; its address may then change")
        await self._would_be_taken(manifest, refusal)
        orphan = kind is ClusterKind.STATEFUL_SET and await self._picks_the_pod(manifest)
        uid = live["metadata"]["uid"]
        await self._client.delete(kind, meta["namespace"], meta["name"], uid, orphan=orphan)
        self._tell(kind, meta, f"it was deleted and made anew ({refusal.words})")
        return None if orphan else await self._client.apply(_as_it_was(manifest, live))

    async def _would_be_taken(self, manifest: Object, refusal: ApiError) -> None:
        """Under another name, as this one is taken. Raises the refusal."""
        name = f"{manifest['metadata']['name'][:40]}-{_DRY_NAME}"
        try:
            await self._client.create(
                manifest | {"metadata": manifest["metadata"] | {"name": name}}, dry_run=True
            )
        except ApiError as error:
            words = f"one made anew would be refused as well: {error.words}"
            raise _with(refusal, words) from error

    async def _picks_the_pod(self, manifest: Object) -> bool:
        """Whether the new StatefulSet would find the pod that the old one leaves."""
        meta = manifest["metadata"]
        pod = await self._client.get(
            ClusterKind.POD, meta["namespace"], f"{meta['name']}-0", metadata_only=True
        )
        labels: Mapping[str, str] = ((pod or {}).get("metadata") or {}).get("labels") or {}
        wanted = manifest["spec"]["selector"]["matchLabels"]
        return pod is not None and wanted.items() <= labels.items()

    def _tell(self, kind: ClusterKind, meta: Object, what: str) -> None:
        name = f"{kind.resource.kind} {meta['name']}"
        self._made[kind, meta["namespace"], meta["name"]] = self._clock()
        self.news[kind, meta["namespace"], meta["name"]] = f"{name} could not be put right: {what}"
        _log.warning(
            "an object could not be put right and was made anew",
            kind=kind.resource.kind,
            namespace=meta["namespace"],
            name=meta["name"],
            how=what,
        )


def _as_it_was(manifest: Object, live: Object) -> Object:
    """With the node port that the cluster gave: others know the miner by it."""
    ports = live["spec"].get("ports") or [{}]
    if manifest["kind"] != "Service" or not ports[0].get("nodePort"):
        return manifest
    mine = manifest["spec"]
    if mine["type"] == "ClusterIP":
        return manifest
    first = {"nodePort": ports[0]["nodePort"]} | mine["ports"][0]
    return manifest | {"spec": mine | {"ports": [first, *mine["ports"][1:]]}}


def _with(refusal: ApiError, more: str) -> ApiError:
    return ApiError(f"{refusal}; {more}", refusal.http_status, refusal.reason)
