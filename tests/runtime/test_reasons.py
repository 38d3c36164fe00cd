"""Why nobody answers, on real sockets: the words of the system, never a library's."""

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.complaint import complaint_of, one_line
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.reasons import peer_reason, system_reason
from ports import free_ports

Peer = Callable[[asyncio.StreamWriter], None]


@asynccontextmanager
async def peer(talk: Peer) -> AsyncIterator[int]:
    """The port of somebody who reads a line, talks and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        talk(writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def why(url: str, seconds: float = 5) -> str:
    async with SignedClient() as client:
        with pytest.raises(UnavailableError) as told:
            await client.request("GET", url, timeout_seconds=seconds)
    return str(told.value)


HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"


@pytest.mark.parametrize(
    ("scheme", "said", "words"),
    [
        ("http", b"junk\r\n\r\n", "it does not speak HTTP"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "is its URL one of http, not https?"),
        ("http", HALF, "its answer broke off"),
    ],
)
async def test_a_peer_that_answers_nonsense(scheme: str, said: bytes, words: str) -> None:
    async with peer(lambda writer: writer.write(said)) as port:
        url = f"{scheme}://127.0.0.1:{port}/"
        assert f"{url} does not answer (" in await why(url)
        assert words in await why(url)


async def test_nobody_at_all() -> None:
    (port,) = free_ports(1)
    assert "(Connection refused)" in await why(f"http://127.0.0.1:{port}/")
    assert "(Connection refused)" in await why(f"https://localhost:{port}/")
    assert "(that is no URL of http or https)" in await why("nonsense")


async def test_a_peer_that_says_nothing_in_time() -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "(no answer in time)" in await why(f"http://127.0.0.1:{port}/", 0.2)


def test_words_of_what_has_no_number() -> None:
    assert peer_reason(TimeoutError()) == "no answer in time"
    assert peer_reason(ConnectionAbortedError()) == "the connection failed"
    assert peer_reason(ssl.SSLError(1, "[X] y")).startswith("TLS: ")
    assert system_reason(OSError("words of its own")) == "words of its own"
    assert system_reason(OSError(errno.EBADF, "x")) == "it is closed"


def test_a_refused_connection_and_a_full_disk_have_their_exit_codes() -> None:
    away = complaint_of(ConnectionRefusedError(errno.ECONNREFUSED, "x"))
    assert (away.code, away.exit_code) == ("unavailable", 4)
    assert away.line.startswith("no connection (Connection refused); is the other side")
    full = complaint_of(OSError(errno.ENOSPC, "x", "/data/a\nb"))
    assert (full.code, full.exit_code) == ("storage", 6)
    assert (
        full.line == "/data/a b: No space left on device; free some space there, and run it again"
    )
    assert complaint_of(MemoryError()).exit_code == 6


def test_a_name_of_any_bytes_fits_a_line() -> None:
    assert one_line("a\n\tb \udcff") == "a b \\xff"
    assert one_line("\ud800") == "\\ud800"
