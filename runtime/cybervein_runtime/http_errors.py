"""Every error a server sends is one JSON document: `{"error": code, "message": text}`.

Also where no route of ours ran: a path that does not exist (404), a method that a path does not
have (405), and a fault of our own (500). Those carry the codes that a client already takes a bare
answer for (`http_client.error_of`): `unknown` stays "the record is not known here", never "the
path is".
"""

from collections.abc import Mapping

from cybervein_protocol.api.errors import ErrorDocument
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError, UnavailableError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from cybervein_runtime.http_border import Asgi, Receive, Scope, Send, check_readable
from cybervein_runtime.openapi import JsonAnswer

_FAULT, _METHOD = 500, 405
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
_BY_STATUS = {LimitError.status: LimitError}


def error_response(error: CyberVeinError, headers: Mapping[str, str] | None = None) -> JsonAnswer:
    """The document of an error of ours, with its status."""
    return _document(error.status, error.code, str(error), headers)


def method_refused(request: Request) -> JsonAnswer:
    """405, naming the methods that the path has: those of all of its routes."""
    allow = ", ".join(method for method in _METHODS if _has(request, method))
    message = f"{request.url.path}: {request.method} is not one of its methods; it has {allow}"
    return _document(405, MalformedError.code, message, {"allow": allow})


def install_errors(app: FastAPI) -> None:
    """Have `app` answer every error as the document: ours, Starlette's and what nobody foresaw.

    What cannot be read at all (`http_border`) is refused before any route.
    """
    app.add_middleware(_Border)
    app.exception_handler(CyberVeinError)(_known)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(Exception)(_fault)


class _Border:
    """ASGI middleware: a request that cannot be read in one way alone is answered here."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "http":
            try:
                check_readable(scope)
            except MalformedError as error:
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _known(request: Request, error: CyberVeinError) -> JsonAnswer:
    del request
    return error_response(error)


async def _invalid(request: Request, error: RequestValidationError) -> JsonAnswer:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = f"{request.url.path}: {place}: {first['msg']}; see /openapi.json"
    return _document(MalformedError.status, MalformedError.code, message)


async def _refused(request: Request, error: HTTPException) -> JsonAnswer:
    """What the router refuses, or a mounted folder."""
    headers = error.headers or {}
    if error.status_code == _METHOD:
        return method_refused(request)
    kind = UnavailableError if error.status_code >= _FAULT else MalformedError
    code = _BY_STATUS.get(error.status_code, kind).code
    message = f"{request.method} {request.url.path}: {error.detail}; see /openapi.json"
    return _document(error.status_code, code, message, headers)


def _has(request: Request, method: str) -> bool:
    """Whether any route takes it; the router's own refusal names the first route's alone."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _fault(request: Request, error: Exception) -> JsonAnswer:
    """A fault of ours: Starlette raises it again afterwards, so that the log has it whole."""
    del error
    message = f"{request.method} {request.url.path}: the server failed; its log says why"
    return _document(_FAULT, UnavailableError.code, message)


def _document(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JsonAnswer:
    return JsonAnswer(ErrorDocument(error=code, message=message), status, headers)
