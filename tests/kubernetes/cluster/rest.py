"""The few calls of the REST API that the test cluster makes itself, over one kept connection."""

import json
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, Self

from cluster.control_plane import ControlPlane
from cluster.credentials import User

Object = dict[str, Any]
SILENCE_SECONDS = 10.0
LOST = (HTTPException, OSError)  # the API server went away, or closed the connection


class RestError(RuntimeError):
    """The API server refused a call."""


class Rest:
    """One user's connection. A lost one raises one of LOST; make a new one."""

    def __init__(self, plane: ControlPlane, user: User) -> None:
        trust = ssl.create_default_context(cafile=str(plane.authority))
        self._connection = HTTPSConnection(
            plane.settings.address, plane.port, context=trust, timeout=SILENCE_SECONDS
        )
        self._headers = {
            "Authorization": f"Bearer {user.token}",
            "Content-Type": "application/json",
            "User-Agent": user.name,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def call(self, verb: str, path: str, body: Object | None = None) -> Object:
        """Ask and return the answer; what exists (or is gone) already is as good as done."""
        answer = self._send(verb, path, body)
        document: Object = json.loads(answer.read())
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in {
            HTTPStatus.CONFLICT,
            HTTPStatus.NOT_FOUND,
        }:
            raise RestError(f"{verb} {path}: {answer.status} {document.get('message')}")
        return document

    def watch(self, path: str, version: str, seconds: int) -> Iterator[Object]:
        """Events after a resource version, until the API server ends the watch."""
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={seconds}"
        answer = self._send("GET", f"{path}?{query}", None)
        for line in answer:
            yield json.loads(line)

    def _send(self, verb: str, path: str, body: Object | None) -> HTTPResponse:
        text = json.dumps(body) if body is not None else None
        self._connection.request(verb, path, body=text, headers=self._headers)
        return self._connection.getresponse()
