"""The REST API over one kept connection: what the test cluster's own parts and `Api` ask with."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, Self

Object = dict[str, Any]
SILENCE_SECONDS = 60.0
LOST = (HTTPException, OSError)  # the API server went away, or closed the connection
DONE_ALREADY = {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}


class RestError(RuntimeError):
    """The API server refused a call."""


@dataclass(frozen=True)
class Endpoint:
    """Where an API server is asked, and as whom; without an `authority` (PEM) it is plain HTTP."""

    host: str
    port: int
    authority: str = ""
    token: str = ""
    agent: str = "cybervein-tests"

    def connect(self, timeout_seconds: float) -> HTTPConnection:
        """A connection that opens with its first call."""
        if not self.authority:
            return HTTPConnection(self.host, self.port, timeout=timeout_seconds)
        trust = ssl.create_default_context(cadata=self.authority)
        return HTTPSConnection(self.host, self.port, context=trust, timeout=timeout_seconds)

    def headers(self, content: str) -> dict[str, str]:
        """What every call says of its caller and its body."""
        login = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**login, "Content-Type": content, "User-Agent": self.agent}


@dataclass(frozen=True)
class Answer:
    """What the API server said. `warnings` are those that a person would see."""

    status: int
    document: Object
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether it did not do what it was asked."""
        return self.status >= HTTPStatus.BAD_REQUEST


class Rest:
    """One user's connection. A lost one raises one of LOST; the next call opens another."""

    def __init__(self, endpoint: Endpoint, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._endpoint = endpoint
        self._connection = endpoint.connect(silence_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next call opens another connection."""
        self._connection.close()

    def call(self, verb: str, path: str, body: Object | None = None) -> Object:
        """Ask and return the answer; what exists (or is gone) already is as good as done."""
        answer = self.ask(verb, path, body)
        if answer.refused and answer.status not in DONE_ALREADY:
            raise RestError(f"{verb} {path}: {answer.status} {answer.document.get('message')}")
        return answer.document

    def ask(
        self,
        verb: str,
        path: str,
        body: Object | None = None,
        *,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        """Ask and return the answer, whatever it is."""
        answer = self._send(verb, path, body, {"Accept": accept}, content)
        text = answer.read()
        warnings = answer.headers.get_all("Warning") or []
        return Answer(answer.status, _document(text), tuple(warnings))

    def watch(self, path: str, version: str, seconds: int, query: str = "") -> Iterator[Object]:
        """Events after a resource version, until the API server ends the watch."""
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={seconds}{query}"
        answer = self._send("GET", f"{path}?{query}", None)
        for line in answer:
            yield json.loads(line)

    def _send(
        self,
        verb: str,
        path: str,
        body: Object | None,
        headers: dict[str, str] | None = None,
        content: str = "application/json",
    ) -> HTTPResponse:
        text = json.dumps(body) if body is not None else None
        sent = {**self._endpoint.headers(content), **(headers or {})}
        try:
            self._connection.request(verb, path, body=text, headers=sent)
            return self._connection.getresponse()
        except LOST:
            self.close()  # or it would refuse every later call
            raise


def _document(text: bytes) -> Object:
    """The JSON object of an answer; what is no JSON becomes a message."""
    try:
        document: Object = json.loads(text)
    except ValueError:
        return {"message": text.decode(errors="replace")}
    return document
