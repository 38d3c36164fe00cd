"""A slow line in front of a server: a proxy that passes so many bytes a second, and no more."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from secure import Secure

PIECE_BYTES = 1024
_BUFFER_BYTES = 8192


@dataclass
class Line:
    """What connections share: bytes a second in one direction; 0 lets nothing pass."""

    bytes_per_second: float
    passed: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def carry(self, count: int) -> None:
        """Wait as long as these bytes take."""
        async with self._turn:
            while not self.bytes_per_second:
                await asyncio.sleep(0.01)
            await asyncio.sleep(count / self.bytes_per_second)
            self.passed += count


@asynccontextmanager
async def slow_line(
    url: str, up: Line | None, down: Line | None = None, *, tls: Secure | None = None
) -> AsyncIterator[str]:
    """The URL under which the server at `url` is reached over these lines.

    With `tls` they carry it, and what ends it stands beside the server.
    """
    async with AsyncExitStack() as stack:
        if tls is not None:
            url = await stack.enter_async_context(_proxy(url, None, None, tls))
        yield await stack.enter_async_context(_proxy(url, up, down, None))


@asynccontextmanager
async def _proxy(
    url: str, up: Line | None, down: Line | None, tls: Secure | None
) -> AsyncIterator[str]:
    target = urlsplit(url)
    running: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        async with AsyncExitStack() as stack:
            stack.callback(running.discard, task)
            stack.callback(writer.transport.abort)
            there, back = await asyncio.open_connection(target.hostname, target.port)
            stack.callback(back.transport.abort)
            answers = asyncio.create_task(_copy(there, writer, down))
            stack.callback(answers.cancel)
            with suppress(OSError, asyncio.CancelledError):
                await _copy(reader, back, up)

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    server = await asyncio.start_server(
        connection, sock=listener, limit=PIECE_BYTES, ssl=tls.server if tls else None
    )
    try:
        scheme = "https" if tls else target.scheme
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _copy(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: Line | None
) -> None:
    with suppress(OSError):
        while data := await source.read(PIECE_BYTES):
            if line is not None:
                await line.carry(len(data))
            sink.write(data)
            await sink.drain()
