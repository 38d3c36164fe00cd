"""uvicorn's HTTP/1.1 protocol, with the error document where it would answer plain text itself.

Two answers never reach an application: to bytes that are no HTTP, and to one connection too many.
"""

from typing import Any, Final, cast

import msgspec
from cybervein_protocol.api.errors import ErrorDocument
from cybervein_protocol.errors import MalformedError, UnavailableError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cybervein_runtime.http_border import Receive, Scope, Send
from cybervein_runtime.http_errors import error_response

CONNECTIONS_MAX: Final = 2048
"""Idle ones too: probes must find a place among them."""


class HttpProtocol(HttpToolsProtocol):
    """Every answer is ours: errors are the one document."""

    def on_headers_complete(self) -> None:
        """Have one connection too many told so, in place of the application."""
        full = max(len(self.connections), len(self.tasks)) >= CONNECTIONS_MAX
        own = self.app
        self.app = cast("Any", _full) if full else own
        try:
            super().on_headers_complete()
        finally:
            self.app = own

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        text = f"{msg.rstrip('.')}; send HTTP/1.1 with a path in ASCII and %-escapes"
        body = msgspec.json.encode(ErrorDocument(error=MalformedError.code, message=text))
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head % len(body) + body)
        self.transport.close()


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    text = f"{CONNECTIONS_MAX} connections are open already; try again soon"
    answer = error_response(UnavailableError(text), {"connection": "close"})
    await answer(scope, receive, send)
