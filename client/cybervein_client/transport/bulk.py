"""Bulk transfers of shards: see the package's docstring for why they run in threads."""

import asyncio
import http.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.messages import Order, Receipt
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import sign_headers
from cybervein_runtime.outcome import outcome
from cybervein_runtime.reasons import peer_reason

from cybervein_client.transport.connections import ConnectionPool
from cybervein_client.transport.ending import give_up
from cybervein_client.transport.exchange import (
    Exchange,
    ShardAt,
    receipt_in,
    require_success,
    shard_in,
    shard_url,
    slice_in,
)
from cybervein_client.transport.receiving import Receiving
from cybervein_client.transport.sending import ENDED, Sending, send_body, silence

WORKERS_MAX: Final = 32
STALL_SECONDS_MAX: Final = 20.0

T = TypeVar("T")
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
        url = f"{shard_url(shard)}?segment={segment}&index={index}"
        transfer = transfer or Sending(len(data))
        receipt = await self._run(Exchange("PUT", url, order, data, transfer), receipt_in)
        transfer.end()
        return receipt

    async def get(self, shard: ShardAt, order: Order, *, coming: Receiving | None = None) -> bytes:
        """The whole shard, not yet verified; `coming` shows how far it is.

        Raises ProofError for fewer or more bytes.
        """

        def read(response: http.client.HTTPResponse) -> bytes:
            return shard_in(response, shard)

        exchange = Exchange("GET", shard_url(shard), order, coming=coming or Receiving())
        return await self._run(exchange, read)

    async def slice(  # noqa: PLR0913 -- what of which shard, and who wants to know
        self,
        shard: ShardAt,
        order: Order,
        offset: int,
        length: int,
        max_bytes: int,
        *,
        coming: Receiving | None = None,
    ) -> bytes:
        """The Bao slice of a byte range, not yet verified."""

        def read(response: http.client.HTTPResponse) -> bytes:
            return slice_in(response, max_bytes, shard)

        url = f"{shard_url(shard)}?offset={offset}&length={length}"
        exchange = Exchange("GET", url, order, coming=coming or Receiving())
        return await self._run(exchange, read)

    async def delete(self, shard: ShardAt, order: Order) -> None:
        """Move the shard to the miner's trash."""
        await self._run(Exchange("DELETE", shard_url(shard), order), lambda _: None)

    async def _run(self, exchange: Exchange, read: Reader[T]) -> T:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._exchange, exchange, read)
        try:
            return await outcome(future)
        except asyncio.CancelledError:
            exchange.abort()
            if exchange.connecting:
                future.cancel()  # it ends on its own once it is connected: nobody waits for that
            else:
                await asyncio.wait({future})  # its socket fails at once: no thread outlives us
            raise

    def _exchange(self, exchange: Exchange, read: Reader[T]) -> T:
        """Request and answer; a kept-alive connection that the peer closed is tried anew once."""
        exchange.coming.start()
        try:
            exchange.connect()
            connection, reused = self._pool.take(exchange.url)
            try:
                return self._once(exchange, connection, read)
            except (http.client.BadStatusLine, *ENDED):
                if not reused or exchange.aborted:
                    raise
            exchange.connect()
            return self._once(exchange, self._pool.fresh(exchange.url), read)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                f"{exchange.method} {exchange.url}: miner {address(exchange.order.miner)} does not "
                f"answer ({silence(error) or peer_reason(error)}); it is tried elsewhere"
            ) from error
        finally:
            exchange.body = None  # its memory is counted as free when the result is seen

    def _once(
        self, exchange: Exchange, connection: http.client.HTTPConnection, read: Reader[T]
    ) -> T:
        exchange.sock = sock = connection.sock
        exchange.connecting = False
        if exchange.aborted:
            connection.close()
            raise ConnectionAbortedError
        response = None
        exchange.coming.begin(sock)
        try:
            response = self._send(exchange, connection)
            require_success(response, exchange.url)
            result = read(response)
        except BaseException:
            give_up(connection, sock, response)
            raise
        finally:
            exchange.coming.end()
            exchange.sock = None  # it is another request's from now on
        if response.isclosed() and not response.will_close:
            self._pool.give_back(exchange.url, connection)
        else:
            connection.close()
        return result

    def _send(
        self, exchange: Exchange, connection: http.client.HTTPConnection
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
        sock = connection.sock
        if body is not None and exchange.transfer is not None:
            send_body(sock, body, exchange.transfer, self._stall_seconds)
        response = connection.getresponse()
        with suppress(OSError):  # an answer without a body may have closed it
            sock.settimeout(self._stall_seconds)
        return response
