"""Holds what a server sends against its own OpenAPI document, and JSON against its type."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import document_types
from cybervein_protocol.api.errors import ErrorDocument

JSON = "application/json"
_BYTES_MAX = 1 << 26


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer that was as documented."""

    status: int
    media_type: str
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Contract:
    """One server's OpenAPI document, and which statuses of which operations were seen."""

    url: str
    http: aiohttp.ClientSession
    paths: dict[str, dict[str, Any]]
    seen: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(method.upper(), path) for path, each in self.paths.items() for method in each]

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Sent:
        """The answer, once it is what the document says of this operation."""
        async with self.http.request(method, self.url + path, data=body, headers=headers) as answer:
            data = b"" if answer.content_type == "text/event-stream" else await answer.read()
            sent = Sent(
                answer.status,
                answer.content_type,
                data,
                {k.lower(): v for k, v in answer.headers.items()},
            )
        self.hold(method, path, sent)
        return sent

    def hold(self, method: str, path: str, sent: Sent) -> None:
        """Raise AssertionError unless the answer is as documented."""
        known = self._path(path)
        operations = self.paths.get(known, {})
        what = f"{method} {path} answered {sent.status} {sent.media_type}: {sent.body[:200]!r}"
        if method.lower() not in operations:
            assert sent.status in {404, 405}, what
            self._typed({"$ref": "/ErrorDocument"}, sent.body, what)
            return
        responses = operations[method.lower()]["responses"]
        assert str(sent.status) in responses, f"{what}; documented: {sorted(responses)}"
        content = responses[str(sent.status)].get("content", {})
        if sent.body or content:
            assert sent.media_type in content, f"{what}; documented: {sorted(content)}"
        if sent.media_type == JSON:
            self._typed(content[JSON]["schema"], sent.body, what)
        self.seen.setdefault((method, known), set()).add(sent.status)

    def _path(self, path: str) -> str:
        """The path of the document that matches, the one with fewest parameters first."""
        plain = path.split("?", maxsplit=1)[0]
        for known in sorted(self.paths, key=lambda each: each.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), plain):
                return known
        return plain

    @staticmethod
    def _typed(schema: dict[str, Any], body: bytes, what: str) -> None:
        """JSON is of its type, with no field that the type does not know."""
        many = schema.get("type") == "array"
        kind = kind_named((schema["items"] if many else schema)["$ref"])
        document = decode_document(body, list[kind] if many else kind, what, _BYTES_MAX)  # type: ignore[valid-type]
        assert msgspec.to_builtins(document) == json.loads(body), what


def kind_named(reference: str) -> type[msgspec.Struct]:
    """The one document type that a schema's reference names."""
    name = reference.rsplit("/", 1)[-1]
    [kind] = {each for each in document_types() if each.__name__ == name}
    return kind


async def contract_of(url: str, http: aiohttp.ClientSession) -> Contract:
    """The contract of a running server; every reference of the document leads somewhere."""
    async with http.get(f"{url}/openapi.json") as answer:
        document = await answer.json()
    named = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert named <= set(document["components"]["schemas"]), "a schema is referred to and absent"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            refused = {int(s): r for s, r in operation["responses"].items() if int(s) >= 400}
            for status, response in refused.items():
                kind = kind_named(response["content"][JSON]["schema"]["$ref"])
                assert issubclass(kind, ErrorDocument), f"{method} {path} {status}"
            assert {405, 500} <= set(refused), f"{method} {path}"
    return Contract(url, http, document["paths"])
