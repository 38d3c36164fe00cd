"""Shard bytes past the event loop: the socket itself, in a thread, for the length of one body.

An ASGI server hands a body over in pieces that it has copied four times. Here the request's
connection is lent to a thread instead: `receive` reads the rest of the body into one buffer, `send`
lets the kernel copy from the file to the socket (sendfile). Per GiB that costs a third of the
processor time. The parser is set up anew afterwards, so that the connection stays alive; a body
that fails is read to its end, so that the peer hears why.

It leans on uvicorn's httptools protocol: `tests/miner` proves each way of using it on real sockets.
"""

import asyncio
import errno
import os
import select
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import httptools
from cybervein_runtime.http_protocol import HttpProtocol
from cybervein_runtime.outcome import outcome
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from cybervein_miner.disk.threads import DaemonThreads

EXTENSION: Final = "cybervein.bulk"
CUT: Final = "cybervein.cut"
PIECE_BYTES: Final = 1 << 20
STALL_SECONDS: Final = 30.0
STEP_BYTES: Final = 64 * 1024
"""What must move in that time: many shards share a slow line."""
_FLUSH_SECONDS: Final = 0.002
_OF_THE_PEER: Final = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOTCONN}
)
"""What a connection ends with besides a reset: nothing of it is the disk's."""
_threads = DaemonThreads("bulk")  # as many as the door lets in

Sink = Callable[[memoryview], None]
Pace = Callable[[int], None]
"""Called with the bytes about to be moved; waits as long as the bandwidth cap wants."""
Waited = Callable[[], None]
"""Called when the peer has made room: until then nobody waited for the file's disk."""


class PeerGoneError(Exception):
    """The peer closed the connection, or moved less than a step in the stall limit."""


class BulkProtocol(HttpProtocol):
    """The protocol, which can lend its connection to a thread while a body is moved."""

    def on_headers_complete(self) -> None:
        """Offer the application the connection, bound to this request, and a way to cut it."""
        super().on_headers_complete()
        offered: dict[str, object] = {CUT: self.cut}
        if self.scheme == "http":  # TLS bytes are not the body's
            offered[EXTENSION] = Bulk(self, self.cycle)
        cast("dict[str, Any]", self.scope)["extensions"] = offered

    def cut(self) -> None:
        """End the connection now, under TLS too; a thread that it is lent to sees the end as well.

        Nothing more is written. A handle of our own, as a transport's socket cannot be shut down.
        """
        if not self.transport.is_closing():
            with suppress(OSError), _own_handle(self.transport) as own:
                own.shutdown(socket.SHUT_RDWR)
        self.transport.abort()

    def restart_parser(self) -> None:
        """A body bypassed the parser: continue with a fresh one."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)


@dataclass(frozen=True, slots=True)
class Bulk:
    """The connection of one request; a pipelined next request has another `cycle`."""

    protocol: BulkProtocol
    cycle: RequestResponseCycle

    async def receive_rest(
        self, first: int, size: int, sink: Sink, piece: int = PIECE_BYTES
    ) -> None:
        """Hand bytes `first` to `size` of this request's body to `sink`, in a thread.

        A `piece` below the usual one says that the sink is slow: then no more than that waits in
        the kernel either, so that the peer sees how fast it goes.

        `first` bytes came through ASGI. What `sink` raises comes out once the body is read.
        Raises PeerGoneError.
        """
        self.protocol.flow.pause_reading()
        early = bytes(self.cycle.body)
        self.cycle.body = bytearray()
        rest = size - first - len(early)
        async with self._lent() as sock:
            loop = asyncio.get_running_loop()
            if piece < PIECE_BYTES:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, piece)
            job = loop.run_in_executor(_threads, _receive, sock, early, rest, sink, piece)
            await _finish(job, sock)
        if rest:
            self.protocol.restart_parser()
        self.cycle.more_body = False

    async def send_file(
        self,
        handle: int,
        size: int,
        pace: Pace,
        piece: int = PIECE_BYTES,
        waited: Waited = lambda: None,
    ) -> None:
        """Send `size` bytes of an open file as this response's body. Raises PeerGoneError, OSError.

        The response has begun with that Content-Length; end it with an empty body message.
        """
        transport = self.protocol.transport
        while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 -- transports tell nobody
            await asyncio.sleep(_FLUSH_SECONDS)
        async with self._lent() as sock:
            loop = asyncio.get_running_loop()
            send = partial(_send, sock, handle, size, pace=pace, piece=piece, waited=waited)
            await _finish(loop.run_in_executor(_threads, send), sock)
        self.cycle.expected_content_length -= size

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[socket.socket]:
        """A handle of our own on the connection: the transport may close its one at any time."""
        transport = self.protocol.transport
        if transport.is_closing():
            raise PeerGoneError("the connection is closed")
        with _own_handle(transport) as own:
            try:
                yield own
            except PeerGoneError:
                self.cycle.disconnected = True
                transport.abort()
                raise


def _own_handle(transport: asyncio.Transport) -> socket.socket:
    """The transport's connection by another descriptor, which is ours to use and to close."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


async def _finish(work: "asyncio.Future[Any]", sock: socket.socket) -> None:
    """Wait for the thread; when cancelled, cut the connection so that it ends at once."""
    try:
        await outcome(work)
    except asyncio.CancelledError:
        sock.shutdown(socket.SHUT_RDWR)
        await asyncio.wait([work])
        raise


def _receive(sock: socket.socket, early: bytes, rest: int, sink: Sink, piece: int) -> None:
    """Read `rest` bytes; after an error of the sink the remainder is read and dropped."""
    buffer = memoryview(bytearray(min(piece, max(1, rest))))
    failure = _offer(sink, memoryview(early), None)
    while rest:
        count = _fill(sock, buffer[: min(len(buffer), rest)])
        failure = _offer(sink, buffer[:count], failure)
        rest -= count
    if failure is not None:
        raise failure


def _offer(sink: Sink, data: memoryview, failure: Exception | None) -> Exception | None:
    if failure is None and data:
        try:
            sink(data)
        except Exception as error:  # noqa: BLE001 -- raised by the caller after the body's end
            return error
    return failure


def _fill(sock: socket.socket, into: memoryview) -> int:
    """Bytes into the buffer: all it takes, or a step and whatever more is there at once."""
    done, deadline = 0, time.monotonic() + STALL_SECONDS
    while done < len(into):
        try:
            count = sock.recv_into(into[done:])
        except BlockingIOError:
            if done >= STEP_BYTES:
                break
            _await(sock, select.POLLIN, deadline)
            continue
        except OSError as error:
            raise PeerGoneError(str(error)) from error
        if count == 0:
            raise PeerGoneError("the connection ended within the body")
        done += count
    return done


def _send(  # noqa: PLR0913 -- of `send_file`, by name
    sock: socket.socket, handle: int, size: int, *, pace: Pace, piece: int, waited: Waited
) -> None:
    offset = paid = step = 0
    deadline = time.monotonic() + STALL_SECONDS
    while offset < size:
        if offset >= paid:
            count = min(piece, size - offset)
            pace(count)
            paid, step, deadline = offset + count, offset, time.monotonic() + STALL_SECONDS
        elif offset - step >= STEP_BYTES:
            step, deadline = offset, time.monotonic() + STALL_SECONDS
        try:
            count = os.sendfile(sock.fileno(), handle, offset, paid - offset)
        except BlockingIOError:
            _await(sock, select.POLLOUT, deadline)
            waited()
            continue
        except OSError as error:
            if isinstance(error, ConnectionError) or error.errno in _OF_THE_PEER:
                raise PeerGoneError(str(error)) from error
            raise
        if count == 0:
            raise OSError(f"file ends at {offset} of {size} bytes")
        offset += count


def _await(sock: socket.socket, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(sock, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise PeerGoneError(f"less than {STEP_BYTES} bytes moved in {STALL_SECONDS:.0f} s")
