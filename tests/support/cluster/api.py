"""The API as fixtures and assertions use it: objects go in and come out, and waiting watches.

`kubectl` is for what a person would type; a new process for each look at an object costs more than
what is looked at.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urlencode

from waiting import DEADLINE_SECONDS, POLL_SECONDS, NeverHappenedError, until

from cluster.kinds import Kind, Kinds
from cluster.rest import LOST, Answer, Endpoint, Object, Rest

# What `met` asks beside the object may change without an event: then the next list sees it.
WATCH_SECONDS = 5
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


class ApiError(RuntimeError):
    """The API server refused a call, or did not answer; its text is what it said."""


@dataclass(frozen=True)
class Api:
    """One user in one namespace; kinds have every name that kubectl takes."""

    endpoint: Endpoint
    kinds: Kinds
    namespace: str = "default"
    _threads: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def at(cls, endpoint: Endpoint) -> "Api":
        """The user of an endpoint."""
        return cls(endpoint, Kinds(endpoint))

    def within(self, namespace: str) -> "Api":
        """The same user in another namespace; an empty name is all of them."""
        return replace(self, namespace=namespace)

    def get(self, kind: str, name: str) -> Object | None:
        """One object, or None where there is none."""
        path = self.kinds.named(kind).path(self.namespace, name)
        answer = self._ask("GET", path)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return self._done(answer, f"get {kind} {name}")

    def list(self, kind: str, *, labels: str = "", fields: str = "") -> "list[Object]":
        """All objects of a kind, or those that the selectors take."""
        found = self.kinds.named(kind)
        query = urlencode({"labelSelector": labels, "fieldSelector": fields})
        answer = self._ask("GET", f"{found.path(self.namespace)}?{query}")
        items: list[Object] = self._done(answer, f"list {kind}")["items"]
        return [{"apiVersion": found.version, "kind": found.kind, **each} for each in items]

    def read(self, path: str) -> Object:
        """What the API server says at a path, such as `/openapi/v3`."""
        return self._done(self._ask("GET", path), f"read {path}")

    def apply(
        self,
        *objects: Object,
        manager: str = "test",
        dry_run: bool = False,
        warnings_are_errors: bool = False,
    ) -> None:
        """Server-side apply, of unknown fields a refusal; `dry_run` keeps nothing."""
        query = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        for each in objects:
            what = f"apply {each['kind']} {each['metadata']['name']}"
            path = f"{self._path(each)}?{urlencode(query)}"
            answer = self._ask("PATCH", path, each, content=APPLY)
            self._done(answer, what)
            if warnings_are_errors and answer.warnings:
                raise ApiError(f"{what}: {'; '.join(answer.warnings)}")

    def create(self, kind: str, name: str, subresource: str, body: Object) -> None:
        """POST to a subresource, once: the `eviction` of a pod may be told to come later."""
        path = self.kinds.named(kind).path(self.namespace, name, subresource)
        answer = self._once("POST", path, body, "application/json")
        self._done(answer, f"{subresource} of {kind} {name}")

    def patch(self, kind: str, name: str, body: Object, *, subresource: str = "") -> None:
        """JSON merge patch (`subresource="status"` for a status)."""
        path = self.kinds.named(kind).path(self.namespace, name, subresource)
        self._done(self._ask("PATCH", path, body, content=MERGE), f"patch {kind} {name}")

    def delete(self, kind: str, name: str, *, wait: bool = True) -> None:
        """Delete one object and wait until it is gone; it may be gone already."""
        path = self.kinds.named(kind).path(self.namespace, name)
        answer = self._ask("DELETE", path, {"propagationPolicy": "Background"})
        if answer.status != HTTPStatus.NOT_FOUND:
            told = self._done(answer, f"delete {kind} {name}")
            if wait:
                about: Object = told.get("details") or told["metadata"]
                self.wait_gone(kind, name, about["uid"])

    def wait(self, kind: str, name: str, met: Callable[[Object], object], what: str) -> Object:
        """The object once it exists and `met` holds of it; a field may not be there yet."""
        seen = None
        for seen in self._states(kind, name):
            with suppress(LookupError):
                if seen is not None and met(seen):
                    return seen
        raise self._never(kind, name, what, seen)

    def wait_gone(self, kind: str, name: str, uid: str = "") -> None:
        """Return once the object does not exist; with a `uid`, once another one may have come."""
        seen = None
        for seen in self._states(kind, name):
            if seen is None or (uid and seen["metadata"]["uid"] != uid):
                return
        raise self._never(kind, name, "is gone", seen)

    def _never(self, kind: str, name: str, what: str, seen: Object | None) -> AssertionError:
        text = f"not within {DEADLINE_SECONDS:g} s: {kind} {self.namespace}/{name} {what}"
        return NeverHappenedError(f"{text}; last seen: {json.dumps(seen, indent=1)}")

    def _states(self, kind: str, name: str) -> Iterator[Object | None]:
        """The object now and after each change, None where there is none, until the deadline."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        found, first = self.kinds.named(kind), True
        while first or time.monotonic() < deadline:
            first = False
            with suppress(*LOST), Rest(self.endpoint) as rest:  # it comes back: list again
                yield from self._follow(rest, found, name)
            time.sleep(POLL_SECONDS)

    def _follow(self, rest: Rest, kind: Kind, name: str) -> Iterator[Object | None]:
        path, only = (
            kind.path(self.namespace),
            urlencode({"fieldSelector": f"metadata.name={name}"}),
        )
        listed = self._done(rest.ask("GET", f"{path}?{only}"), f"list {kind.plural}")
        yield next(iter(listed["items"]), None)
        version = listed["metadata"]["resourceVersion"]
        for event in rest.watch(path, version, WATCH_SECONDS, f"&{only}"):
            if event["type"] == "ERROR":  # that version is gone: list again
                return
            yield None if event["type"] == "DELETED" else event["object"]

    def _path(self, document: Object) -> str:
        about = document["metadata"]
        space = about.get("namespace", self.namespace)
        return self.kinds.of(document).path(space, about["name"])

    def _ask(self, verb: str, path: str, body: Object | None = None, *,
             content: str = "application/json") -> Answer:  # fmt: skip
        """Ask over this thread's connection, again when the API server has too much to do."""

        def answered() -> Answer | None:
            answer = self._once(verb, path, body, content)
            return None if answer.status == HTTPStatus.TOO_MANY_REQUESTS else answer

        return until(answered, f"the API server takes {verb} {path}")

    def _once(self, verb: str, path: str, body: Object | None, content: str) -> Answer:
        """Every call may be made twice: a kept connection may have ended meanwhile."""
        rest: Rest | None = getattr(self._threads, "rest", None)
        if rest is not None:
            with suppress(*LOST):
                return rest.ask(verb, path, body, content=content)
        self._threads.rest = Rest(self.endpoint)
        try:
            answer: Answer = self._threads.rest.ask(verb, path, body, content=content)
        except LOST as error:
            raise ApiError(f"{verb} {path}: no answer: {error}") from error
        return answer

    @staticmethod
    def _done(answer: Answer, what: str) -> Object:
        if answer.refused:
            raise ApiError(f"{what}: {answer.status} {answer.document.get('message')}")
        return answer.document
