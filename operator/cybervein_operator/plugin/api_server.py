"""The API server, asked as the person, with JSON going in and coming out.

The dynamic client of `kubernetes.aio` carries every call. Its discovery is left out: the paths are
known, and it would cost three more calls and a file in a directory that everybody may write. Its
models are left out too: they are four times the time and three times the memory (ADR 58).
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import aiohttp
from cybervein_protocol.errors import CyberVeinError, UnavailableError, UnknownError
from cybervein_runtime.reasons import peer_reason

from cybervein_operator.api.kinds import ClusterKind, Resource
from cybervein_operator.cluster.errors import CONFLICT, ApiError
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.forward import page
from cybervein_operator.plugin.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubernetes.aio.dynamic import DynamicClient

    from cybervein_operator.cluster.login import Login

CALL_SECONDS: Final = 120
USER_AGENT: Final = "kubectl-cybervein"
DEFINITION: Final = Resource(
    "apiextensions.k8s.io/v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
_PAGE: Final = 500
_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_ANYTHING: Final = "application/json, */*"


class ApiServer:
    """What a person may see and change in one namespace, or see in all of them."""

    def __init__(
        self, client: DynamicClient, login: Login, namespace: str, *, everywhere: bool = False
    ) -> None:
        self._client, self._login, self.namespace = client, login, namespace
        self._everywhere = everywhere

    def within(self, namespace: str) -> ApiServer:
        """The same person in another namespace."""
        return ApiServer(self._client, self._login, namespace)

    async def list(self, kind: Resource, selector: str = "") -> list[Object]:
        """All objects of a kind, or those that a label selector picks, as `get` has each."""
        path, found = kind.path(None if self._everywhere else self.namespace), list[Object]()
        query: Object = {"limit": _PAGE, "label_selector": selector or None}
        while True:
            page = await self._json("list", kind.plural, "get", path, **query)
            found += ({"apiVersion": kind.api_version, "kind": kind.kind} | each
                      for each in page.get("items") or [])  # fmt: skip
            query["_continue"] = page.get("metadata", {}).get("continue") or None
            if query["_continue"] is None:
                return found

    async def get(self, kind: Resource, name: str) -> Object:
        """One object. Raises UnknownError."""
        found: Object = await self._json(
            "get", f"{kind.plural}/{name}", "get", self._at(kind, name)
        )
        return found

    async def find(self, kind: Resource, name: str) -> Object | None:
        """One object, or None."""
        try:
            return await self.get(kind, name)
        except UnknownError:
            return None

    async def merge(self, kind: Resource, name: str, body: Object) -> None:
        """JSON merge patch; a `resourceVersion` in it makes it conditional."""
        how = {"content_type": _MERGE, "field_manager": USER_AGENT}
        what = f"{kind.plural}/{name}"
        await self._call("change", what, "patch", self._at(kind, name), body=body, **how)

    async def apply(self, kind: Resource, manifest: Object, *, manager: str) -> None:
        """Server-side apply, also of what somebody else applied before."""
        name = manifest["metadata"]["name"]
        how = {"content_type": _APPLY, "field_manager": manager, "force_conflicts": True}
        what = f"{kind.plural}/{name}"
        await self._call("apply", what, "patch", self._at(kind, name), body=manifest, **how)

    async def delete(self, kind: Resource, name: str, uid: str) -> None:
        """Ask that exactly this object ends; one that has ended, or has a successor, is fine."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        what = f"{kind.plural}/{name}"
        try:
            await self._call("delete", what, "delete", self._at(kind, name), body=body)
        except UnknownError:
            return
        except ApiError as error:
            if error.http_status != CONFLICT:
                raise

    async def raw(self, path: str) -> bytes:
        """What is at a path: a log, or what a pod or Service answers through its proxy."""
        how = {"header_params": {"Accept": _ANYTHING}}
        return await self._call("read", path.partition("?")[0], "get", path, **how)

    async def text(self, path: str, query: dict[str, Any] | None = None) -> str:
        """The same as text, whatever bytes are in it."""
        full = f"{path}?{urlencode(query)}" if query else path
        return (await self.raw(full)).decode(errors="replace")

    async def of_pod(self, namespace: str, pod: str, port: int, path: str) -> str:
        """What a pod answers at a port: through its kubelet, or else through the proxy.

        The chart's NetworkPolicies keep the API server's proxy out, and not the kubelet; who may
        forward no port may still be allowed the proxy. What both say is told.
        """
        where = ClusterKind.POD.resource.path(namespace, pod)
        try:
            return (await page(self._login, where, port, path, USER_AGENT)).decode(errors="replace")
        except UnavailableError as error:
            first = error
        try:
            return await self.text(f"{where}:{port}/proxy{path}")
        except CyberVeinError as error:
            raise type(first)(f"{first}; {error}") from error

    def _at(self, kind: Resource, name: str) -> str:
        return kind.path(self.namespace, name)

    async def _json(self, verb: str, what: str, method: str, path: str, **query: Any) -> Any:  # noqa: ANN401 -- JSON
        return json.loads(await self._call(verb, what, method, path, **query))

    async def _call(self, verb: str, what: str, method: str, path: str, **how: Any) -> bytes:  # noqa: ANN401 -- the client's
        """`verb` and `what` are for the sentence that tells of a refusal."""
        from kubernetes.aio.client import ApiException  # noqa: PLC0415 -- see cluster.login

        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        try:
            answer = await self._client.request(
                method, path, serialize=False, _request_timeout=timeout, **how
            )
            body: bytes = await answer.read()
        except ApiException as error:
            raise refusal(verb, what, error.status or 0, error.body or "") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(
                f"{verb} {what}: the cluster does not answer ({peer_reason(error)}); "
                "is it running, and the context of your kubeconfig the right one?"
            ) from error
        return body


@asynccontextmanager
async def connected(login: Login, namespace: str, *, everywhere: bool) -> AsyncIterator[ApiServer]:
    """The API server of a login, as long as the block lasts."""
    from kubernetes.aio.dynamic import DynamicClient  # noqa: PLC0415 -- see cluster.login

    async with login.client(USER_AGENT) as client:
        yield ApiServer(DynamicClient(client), login, namespace, everywhere=everywhere)
