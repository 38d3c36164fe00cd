"""Bytes that no client library sends: answered with the error document all the same."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.errors import ErrorDocument
from cybervein_runtime import http_protocol
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.http_protocol import HttpProtocol
from cybervein_runtime.serving import bind
from fastapi import FastAPI
from uvicorn import Config, Server

HOST = b"Host: a.example:80\r\n"


@pytest.fixture
async def place() -> AsyncIterator[tuple[str, int]]:
    """A server with one route, `/here`."""
    app = FastAPI()
    install_errors(app)

    @app.get("/here")
    async def here(n: int = 0) -> int:
        return n

    sock = bind("127.0.0.1", 0)
    server = Server(Config(app, http=HttpProtocol, log_level="critical"))
    task = asyncio.create_task(server._serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0)
    yield sock.getsockname()[:2]
    server.should_exit = True
    await task


async def told(place: tuple[str, int], raw: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes."""
    reader, writer = await asyncio.open_connection(*place)
    writer.write(raw)
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(size)
    writer.close()
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    ("line", "header", "status"),
    [
        (b"GET /here HTTP/1.1", HOST, 200),
        (b"nonsense", HOST, 400),
        (b"GET /\xff HTTP/1.1", HOST, 400),
        (b"GET /%ff HTTP/1.1", HOST, 400),
        (b"GET /%00 HTTP/1.1", HOST, 400),
        (b"GET /here?n=1&n=2 HTTP/1.1", HOST, 400),
        (b"GET /here?%6e=1&n=2 HTTP/1.1", HOST, 400),
        (b"GET /here?n=%ff HTTP/1.1", HOST, 400),
        (b"GET /here?" + b"n" * 9000 + b" HTTP/1.1", HOST, 400),
        (b"GET /nowhere HTTP/1.1", HOST, 404),
        (b"POST /here HTTP/1.1", HOST, 405),
        (b"GET /here HTTP/1.1", b"Host: [\r\n", 400),
        (b"GET /nowhere HTTP/1.1", b"Host: [\r\n", 400),
        (b"GET /here HTTP/1.1", b"Host: a:port\r\n", 400),
        (b"GET /here HTTP/1.1", b"Host: \xff\r\n", 400),
        (b"GET /here HTTP/1.1", b"Host: a/b\r\n", 400),
        (b"GET /here HTTP/1.1", b"Host: [::1]:70\r\n", 200),
        (b"GET /here HTTP/1.1", b"Content-Length: x\r\n", 400),
    ],
)
async def test_whatever_comes_is_answered_or_refused_with_the_error_document(
    place: tuple[str, int], line: bytes, header: bytes, status: int
) -> None:
    code, body = await told(place, line + b"\r\n" + header + b"\r\n")
    assert code == status
    if status != 200:
        assert decode_document(body, ErrorDocument, "answer", 1000).error == "malformed"


async def test_one_connection_too_many_is_told_so_with_the_error_document(
    place: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "CONNECTIONS_MAX", 2)
    idle = await asyncio.open_connection(*place)
    code, body = await told(place, b"GET /here HTTP/1.1\r\n" + HOST + b"\r\n")
    idle[1].close()
    assert (code, json.loads(body)["error"]) == (503, "unavailable")
