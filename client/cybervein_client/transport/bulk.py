"""Bulk transfers of shards: see the package's docstring for why they run in threads."""

import asyncio
import http.client
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import ProofError, UnavailableError
from cybervein_protocol.messages import Order, Receipt, decode_receipt
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import error_of, sign_headers
from cybervein_runtime.reasons import peer_reason

from cybervein_client.transport.connections import ConnectionPool
from cybervein_client.transport.sending import Sending, give_up, send_body, silence

WORKERS_MAX: Final = 32
STALL_SECONDS_MAX: Final = 20.0
_ERROR_BYTES_MAX: Final = 64 * 1024
_BAD_REQUEST: Final = 400

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ShardAt:
    """A shard at a miner: BLAKE3 root, size in bytes, and where."""

    root: bytes
    size: int
    miner: bytes
    url: str


@dataclass(slots=True)
class _Exchange:
    """One request in a thread; `abort` from another thread makes its socket fail at once."""

    method: str
    url: str
    order: Order
    body: bytes | None = None
    transfer: Sending | None = None
    aborted: bool = False
    connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def abort(self) -> None:
        self.aborted = True
        connection = self.connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


Reader = Callable[[http.client.HTTPResponse], T]


class BulkTransport:
    """Moves shards; safe to use from many tasks at once."""

    def __init__(self, key: KeyPair, *, stall_seconds: float = STALL_SECONDS_MAX) -> None:
        self._key = key
        self._stall_seconds = stall_seconds
        self._pool = ConnectionPool(stall_seconds)
        self._threads = ThreadPoolExecutor(WORKERS_MAX, thread_name_prefix="shard")

    def close(self) -> None:
        """Close idle connections and stop the threads."""
        self._pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def put(  # noqa: PLR0913 -- what is sent, and where
        self,
        shard: ShardAt,
        segment: int,
        index: int,
        order: Order,
        data: bytes,
        *,
        transfer: Sending | None = None,
    ) -> Receipt:
        """Upload a shard; the miner's receipt, not yet verified. `transfer` shows how far it is."""
        url = f"{_shard_url(shard)}?segment={segment}&index={index}"
        transfer = transfer or Sending(len(data))
        receipt = await self._run(_Exchange("PUT", url, order, data, transfer), _read_receipt)
        transfer.end()
        return receipt

    async def get(self, shard: ShardAt, order: Order) -> bytes:
        """The whole shard, not yet verified. Raises ProofError for fewer or more bytes."""

        def read(response: http.client.HTTPResponse) -> bytes:
            return _read_whole(response, shard)

        return await self._run(_Exchange("GET", _shard_url(shard), order), read)

    async def slice(
        self, shard: ShardAt, order: Order, offset: int, length: int, max_bytes: int
    ) -> bytes:
        """The Bao slice of a byte range, not yet verified."""

        def read(response: http.client.HTTPResponse) -> bytes:
            return _read_limited(response, max_bytes, shard)

        url = f"{_shard_url(shard)}?offset={offset}&length={length}"
        return await self._run(_Exchange("GET", url, order), read)

    async def delete(self, shard: ShardAt, order: Order) -> None:
        """Move the shard to the miner's trash."""
        await self._run(_Exchange("DELETE", _shard_url(shard), order), lambda _: None)

    async def _run(self, exchange: _Exchange, read: Reader[T]) -> T:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._exchange, exchange, read)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            exchange.abort()
            future.cancel()
            if exchange.connection is not None:
                with suppress(Exception, asyncio.CancelledError):
                    await future  # its socket fails at once: no thread outlives its caller
            raise  # one that still connects ends on its own, and nobody waits for that

    def _exchange(self, exchange: _Exchange, read: Reader[T]) -> T:
        """Request and answer; a kept-alive connection that the peer closed is tried anew once."""
        try:
            connection, reused = self._pool.take(exchange.url)
            try:
                return self._once(exchange, connection, read)
            except (http.client.BadStatusLine, ConnectionError):
                if not reused or exchange.aborted:
                    raise
            return self._once(exchange, self._pool.fresh(exchange.url), read)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                f"{exchange.method} {exchange.url}: miner {address(exchange.order.miner)} does not "
                f"answer ({silence(error) or peer_reason(error)}); it is tried elsewhere"
            ) from error
        finally:
            exchange.body = None  # its memory is counted as free when the result is seen

    def _once(
        self, exchange: _Exchange, connection: http.client.HTTPConnection, read: Reader[T]
    ) -> T:
        exchange.connection = connection
        if exchange.aborted:
            raise ConnectionAbortedError
        try:
            response = self._send(exchange, connection)
            _require_success(response, exchange.url)
            result = read(response)
        except BaseException:
            give_up(connection)
            raise
        if response.isclosed() and not response.will_close:
            self._pool.give_back(exchange.url, connection)
        else:
            connection.close()
        return result

    def _send(
        self, exchange: _Exchange, connection: http.client.HTTPConnection
    ) -> http.client.HTTPResponse:
        headers = sign_headers(
            self._key, exchange.method, exchange.url, body=None, order=encode(exchange.order)
        )
        target = exchange.url.split("/", 3)[3]
        connection.putrequest(exchange.method, f"/{target}", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        body = exchange.body
        if body is not None:
            connection.putheader("content-type", "application/octet-stream")
            connection.putheader("content-length", str(len(body)))
        connection.endheaders()
        if body is not None and exchange.transfer is not None:
            send_body(connection.sock, body, exchange.transfer, self._stall_seconds)
        return connection.getresponse()


def _require_success(response: http.client.HTTPResponse, url: str) -> None:
    if response.status >= _BAD_REQUEST:
        raise error_of(response.status, response.read(_ERROR_BYTES_MAX), url)


def _shard_url(shard: ShardAt) -> str:
    return f"{shard.url.rstrip('/')}/v1/shards/{shard.root.hex()}"


def _read_receipt(response: http.client.HTTPResponse) -> Receipt:
    return decode_receipt(response.read(_ERROR_BYTES_MAX))


def _read_whole(response: http.client.HTTPResponse, shard: ShardAt) -> bytes:
    try:
        data = response.read(shard.size)
    except http.client.IncompleteRead as error:
        data = error.partial
    if len(data) != shard.size or response.read(1):
        sent = f"{len(data)} bytes" if len(data) < shard.size else "more bytes"
        raise ProofError(
            f"miner {address(shard.miner)} sent {sent} for shard {shard.root.hex()[:16]}, "
            f"expected {shard.size}"
        )
    return data


def _read_limited(response: http.client.HTTPResponse, max_bytes: int, shard: ShardAt) -> bytes:
    data = response.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ProofError(
            f"miner {address(shard.miner)} sent more than the {max_bytes} bytes of a slice of "
            f"shard {shard.root.hex()[:16]}"
        )
    return data
