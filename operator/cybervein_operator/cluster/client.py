"""A thin Kubernetes client: bounded concurrency, server-side apply, metadata where that is enough.

Refusals that are about load or about the server (429, 5xx, no connection) are tried again a few
times; then `ApiAwayError` hands the key back to the queue, whose backoff is per key. Each call is
counted by verb and resource.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from cybervein_runtime.retry import backoff_seconds

from cybervein_operator.api.kinds import BY_KIND, ClusterKind
from cybervein_operator.cluster.errors import (
    CONFLICT,
    NOT_FOUND,
    TOO_MANY,
    ApiAwayError,
    ApiError,
    NotHolderError,
)
from cybervein_operator.cluster.login import Login
from cybervein_operator.cluster.request import JSON, Request
from cybervein_operator.metrics import Metrics

FIELD_MANAGER = "cybervein-operator"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_TRIES = 4
ANSWER_BYTES_MAX = 64 << 20
_PAGE = 500
_REDIRECTION = 300  # and above: not what was asked for
_SERVER_ERROR = 500

Object = dict[str, Any]


class ClusterClient:
    """Requests to one API server over one session."""

    def __init__(  # noqa: PLR0913 -- by name
        self,
        login: Login,
        metrics: Metrics,
        *,
        concurrency: int,
        timeout_seconds: float = 60,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        fence: Callable[[str], float] = lambda _: inf,
    ) -> None:
        """`fence` says for how many seconds a namespace may be written to; writes end by then."""
        self._login, self._metrics = login, metrics
        self.answer_bytes_max = answer_bytes_max
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout_seconds = timeout_seconds
        self.fence = fence
        self.session = login.session(FIELD_MANAGER)

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()

    async def headers(self, **more: str) -> dict[str, str]:
        """Headers with the current credentials."""
        return more | await self._login.headers()

    def url(self, path: str) -> str:
        """An URL of the API server."""
        return self._login.server + path

    async def get(
        self, kind: ClusterKind, namespace: str | None, name: str, *, metadata_only: bool = False
    ) -> Object | None:
        """One object, or None. `metadata_only` never brings its content here."""
        accept = _METADATA if metadata_only else JSON
        path = kind.resource.path(namespace, name)
        try:
            return decoded(
                await self._call(Request(verb="get", kind=kind, path=path, accept=accept))
            )
        except ApiError as error:
            if error.http_status == NOT_FOUND:
                return None
            raise

    async def list_all(self, kind: ClusterKind, namespace: str | None) -> list[Object]:
        """Every object of a kind, in pages; each as the API server would send it alone."""
        found: list[Object] = []
        more = ""
        while True:
            path = f"{kind.resource.path(namespace)}?limit={_PAGE}{more}"
            page = decoded(await self._call(Request(verb="list", kind=kind, path=path)))
            found += page.get("items", [])
            token = page.get("metadata", {}).get("continue")
            if not token:
                return found
            more = f"&continue={quote(token)}"

    async def select(self, kind: ClusterKind, namespace: str, fields: str, most: int) -> bytes:
        """JSON of a list: the objects that a field selector picks, at `most` so many."""
        query = f"?fieldSelector={quote(fields)}&limit={most}"
        path = kind.resource.path(namespace) + query
        return await self._call(Request(verb="list", kind=kind, path=path))

    async def apply(self, manifest: Object, *, status: bool = False, force: bool = True) -> bytes:
        """Server-side apply with our field manager; fields that we no longer send are removed.

        Returns the object's JSON. Without `force`, another manager's field is a CONFLICT.
        """
        kind, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
        sub = "status" if status else ""
        path = kind.resource.path(meta.get("namespace"), meta["name"], sub)
        query = f"?fieldManager={FIELD_MANAGER}&force={str(force).lower()}"
        return await self._call(
            Request(verb="apply", kind=kind, path=path + query, body=manifest, content=_APPLY)
        )

    async def create(self, manifest: Object, *, dry_run: bool = False) -> Object | None:
        """The created object, or None where one of that name exists. `dry_run` makes nothing."""
        kind, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
        query = f"?fieldManager={FIELD_MANAGER}" + ("&dryRun=All" if dry_run else "")
        path = kind.resource.path(meta.get("namespace")) + query
        try:
            return decoded(
                await self._call(Request(verb="create", kind=kind, path=path, body=manifest))
            )
        except ApiError as error:
            if error.http_status == CONFLICT:
                return None
            raise

    async def merge(
        self, kind: ClusterKind, namespace: str, name: str, body: Object, *, sub: str = ""
    ) -> bytes:
        """JSON merge patch; NOT_FOUND is an ApiError."""
        path = kind.resource.path(namespace, name, sub) + f"?fieldManager={FIELD_MANAGER}"
        return await self._call(
            Request(verb="patch", kind=kind, path=path, body=body, content=_MERGE)
        )

    async def delete(
        self, kind: ClusterKind, namespace: str, name: str, uid: str, *, orphan: bool = False
    ) -> bool:
        """Delete exactly that object; False where it is gone or another one by now.

        What it owns goes after it, or stays without an owner (`orphan`).
        """
        policy = "Orphan" if orphan else "Background"
        body = {"preconditions": {"uid": uid}, "propagationPolicy": policy}
        path = kind.resource.path(namespace, name)
        try:
            await self._call(Request(verb="delete", kind=kind, path=path, body=body))
        except ApiError as error:
            if error.http_status in {NOT_FOUND, CONFLICT}:
                return False
            raise
        return True

    async def _call(self, request: Request) -> bytes:
        for attempt in range(_TRIES):
            async with self._slots:
                answer, wait = await self._once(request)
            if answer is not None:
                return answer
            if attempt < _TRIES - 1:
                await asyncio.sleep(max(wait, backoff_seconds(attempt, base_seconds=0.2)))
        raise ApiAwayError(f"{request}: the API server does not answer or is overloaded")

    async def _once(self, request: Request) -> tuple[bytes | None, float]:
        """The answer, or None and how many seconds to wait."""
        timeout = aiohttp.ClientTimeout(total=self._seconds(request), sock_connect=10)
        try:
            async with self.session.request(
                request.method,
                self.url(request.path),
                data=request.data,
                headers=await self.headers(**request.headers),
                timeout=timeout,
            ) as answer:
                text = await bounded(answer, self.answer_bytes_max)
                if text is None:
                    raise ApiError(
                        f"{request}: the answer is longer than {self.answer_bytes_max} "
                        "bytes; ask for less at once",
                        answer.status,
                        "TooLong",
                    )
                self._count(request, answer.status)
                return self._judge(answer, text, str(request))
        except (aiohttp.ClientError, TimeoutError, OSError):
            self._count(request, 0)
            return None, 0.0

    def _seconds(self, request: Request) -> float:
        """How long it may take. Raises NotHolderError where another operator may be at work."""
        if not request.writes:
            return self._timeout_seconds
        left = self.fence(request.namespace)
        if left <= 0:
            raise NotHolderError(
                f"{request}: not sent, as this operator does not hold the Lease of namespace "
                f"{request.namespace}"
            )
        return min(self._timeout_seconds, left)

    def _count(self, request: Request, code: int) -> None:
        self._metrics.api_call(request.verb, request.kind.resource.plural, code)

    @staticmethod
    def _judge(
        answer: aiohttp.ClientResponse, text: bytes, what: str
    ) -> tuple[bytes | None, float]:
        if answer.status < _REDIRECTION:
            return text, 0.0
        if answer.status == TOO_MANY or answer.status >= _SERVER_ERROR:
            after = answer.headers.get("Retry-After", "0")
            return None, float(after) if after.isdigit() else 0.0
        try:
            status = msgspec.json.decode(text, type=dict)
        except msgspec.DecodeError:
            status = {}
        message = str(status.get("message", text[:200].decode(errors="replace")))
        raise ApiError(f"{what}: {message}", answer.status, str(status.get("reason", "")))


async def bounded(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes | None:
    """The whole body, or None where it is longer than that: no list of ours can be."""
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > bytes_max:
            return None
    return bytes(text)


def decoded(text: bytes) -> Object:
    """An object's JSON."""
    return msgspec.json.decode(text, type=dict)
