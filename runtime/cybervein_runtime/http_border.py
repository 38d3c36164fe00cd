"""What no route could read is refused before any does: a path, a query or a host of no meaning.

Bytes that are no UTF-8 would reach a route with other characters in their place, a parameter that
comes twice would be read one way here and another way by whoever signed or logged it, and a host
that is no host fails in the first place that looks at the URL.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from cybervein_protocol.errors import MalformedError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

QUERY_BYTES_MAX: Final = 8192


def check_readable(scope: Scope) -> None:
    """Raises MalformedError naming the part of the request that has no one reading."""
    _text(scope.get("raw_path") or scope["path"].encode(), "path")
    _query(scope.get("query_string", b""))
    for name, value in scope["headers"]:
        if name == b"host":
            _host(value)


def _text(raw: bytes, what: str) -> None:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what} {raw[:80]!r}: {error.reason}; send UTF-8") from error
    if "\0" in text:
        raise MalformedError(f"{what} {raw[:80]!r}: it has a NUL; send text")


def _query(raw: bytes) -> None:
    if len(raw) > QUERY_BYTES_MAX:
        raise MalformedError(f"query of {len(raw)} bytes, at most {QUERY_BYTES_MAX}")
    _text(raw, "query")
    names = Counter(name for name, _ in parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
    for name, count in names.items():
        if count > 1:
            raise MalformedError(f"query: {name[:32]!r} comes {count} times; send it once")


def _host(raw: bytes) -> None:
    try:
        place = urlsplit(f"http://{raw.decode('ascii')}")
        whole = place.netloc.encode() == raw and not place.path and place.username is None
        known = whole and (place.port is None or place.port >= 0)
    except ValueError:
        known = False
    if not known:
        raise MalformedError(f"Host {raw[:80]!r}: expected a name or an address, and a port")
