"""OpenAPI from the documents of `cybervein_protocol.api`: every status and content type, as sent.

A route says what it answers and which errors it may raise, `@router.get(path, **answers(Document,
refuses=(UnknownError,)))`; `describe` adds what any route may answer and the schemas. FastAPI's own
guesses (JSON everywhere, 422 for each parameter) are taken out: they are not what is sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from cybervein_protocol.api.document import Document, document_types
from cybervein_protocol.api.errors import ErrorDocument
from cybervein_protocol.errors import CyberVeinError, MalformedError
from fastapi import FastAPI, Response

JSON: Final = "application/json"
_REF: Final = "#/components/schemas/{name}"
_REFERRED: Final = re.compile(r"#/components/schemas/(\w+)")
_METHOD_REFUSED: Final = 405
_FAULT: Final = 500
_GUESSES: Final = ("HTTPValidationError", "ValidationError")
Errors = Iterable[type[CyberVeinError]]


class JsonAnswer(Response):
    """A document as the body."""

    media_type = JSON

    def __init__(
        self,
        document: Document | list[Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(msgspec.json.encode(document), status_code, headers)


def answers(
    kind: type[Document],
    *,
    status: int = 200,
    many: bool = False,
    refuses: Errors = (),
    or_else: Mapping[int, type[Document]] | None = None,
) -> dict[str, Any]:
    """Keywords of a route that answers `kind` (or a list), or with the classes of `refuses`.

    `or_else` names documents of other statuses, such as a failing probe's.
    """
    schema = {"type": "array", "items": _ref(kind)} if many else _ref(kind)
    more = {code: _json(HTTPStatus(code).phrase, _ref(k)) for code, k in (or_else or {}).items()}
    return _route(status, {status: _json(_summary(kind), schema)} | more, refuses)


def answers_bytes(media_type: str, what: str, *, refuses: Errors = ()) -> dict[str, Any]:
    """Keywords of a route that answers bytes or text of `media_type`."""
    return _route(200, {200: _bytes(media_type, what)}, refuses)


def answers_events(kinds: Mapping[str, type[Document]], *, refuses: Errors = ()) -> dict[str, Any]:
    """Keywords of a route that answers server-sent events, a document for each name."""
    stream = {"itemSchema": {"oneOf": [*_events(kinds)]}}
    own = {"description": "Until the listener goes.", "content": {"text/event-stream": stream}}
    return _route(200, {200: own}, refuses)


def _events(kinds: Mapping[str, type[Document]]) -> Iterator[dict[str, Any]]:
    for name, kind in kinds.items():
        data = {"type": "string", "contentMediaType": JSON, "contentSchema": _ref(kind)}
        yield {"properties": {"event": {"const": name}, "id": {"type": "string"}, "data": data}}


def takes(kind: type[Document]) -> dict[str, Any]:
    """Keywords of a route whose body is a `kind`, as JSON."""
    return _body(_content(JSON, _ref(kind)))


def takes_bytes(media_type: str, what: str) -> dict[str, Any]:
    """Keywords of a route whose body is bytes of `media_type`."""
    return _body({"description": what, **_bytes(media_type, what)})


def describe(app: FastAPI, *, everywhere: Mapping[str, Errors] | None = None) -> None:
    """Have `/openapi.json` tell what is sent.

    `everywhere` has classes that a middleware may answer instead of any route, by the prefix of
    the paths.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        for path, operations in document["paths"].items():
            errors = [
                e
                for prefix, es in (everywhere or {}).items()
                for e in es
                if path.startswith(prefix)
            ]
            for operation in operations.values():
                _complete(operation["responses"], errors)
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _given(parameter["schema"])
        _add_schemas(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


def _complete(responses: dict[str, Any], errors: Errors) -> None:
    """What any route may answer, in place of FastAPI's guess about parameters."""
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    responses.update(_refusals((*errors, MalformedError), responses))
    for status, text in (
        (_METHOD_REFUSED, "malformed: the path has other methods, see `Allow`."),
        (_FAULT, "unavailable: the server failed; its log says why."),
    ):
        responses.setdefault(str(status), _json(text, _ref(ErrorDocument)))


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is never sent as `null`."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return {k: v for k, v in schema.items() if k != "anyOf"} | kinds[0] if kinds else schema


def _refusals(errors: Errors, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The error document for each status of these classes that `known` lacks."""
    texts: dict[str, list[str]] = {}
    for error in errors:
        texts.setdefault(str(error.status), []).append(f"{error.code}: {_summary(error)}")
    return {
        status: _json(" ".join(lines), _ref(ErrorDocument))
        for status, lines in texts.items()
        if status not in (known or {})
    }


def _add_schemas(document: dict[str, Any]) -> None:
    """The schemas that are referred to, and no other."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _GUESSES:
        schemas.pop(name, None)
    named = set(_REFERRED.findall(str(document["paths"])))
    kinds = dict.fromkeys(kind for kind in document_types() if kind.__name__ in named)
    schemas.update(msgspec.json.schema_components(tuple(kinds), ref_template=_REF)[1])


def _route(status: int, own: dict[int, Any], refuses: Errors) -> dict[str, Any]:
    refused = {int(code): text for code, text in _refusals(refuses).items()}
    responses = refused | own
    return {"status_code": status, "response_class": Response, "responses": responses}


def _body(body: dict[str, Any]) -> dict[str, Any]:
    return {"openapi_extra": {"requestBody": {"required": True, **body}}}


def _bytes(media_type: str, what: str) -> dict[str, Any]:
    schema = (
        {"type": "string"}
        if media_type.startswith("text/")
        else {"type": "string", "format": "binary"}
    )
    return {"description": what, **_content(media_type, schema)}


def _json(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, **_content(JSON, schema)}


def _content(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema}}}


def _ref(kind: type[Document]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _summary(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]
