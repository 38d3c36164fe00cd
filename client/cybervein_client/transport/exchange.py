"""One request to a miner for one shard, and what may be read as its answer."""

import http.client
import socket
from dataclasses import dataclass, field
from typing import Final

from cybervein_protocol.errors import ProofError
from cybervein_protocol.messages import Order, Receipt, decode_receipt
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import error_of

from cybervein_client.transport.ending import interrupt
from cybervein_client.transport.receiving import Receiving
from cybervein_client.transport.sending import Sending

_ERROR_BYTES_MAX: Final = 64 * 1024
_BAD_REQUEST: Final = 400


@dataclass(frozen=True, slots=True)
class ShardAt:
    """A shard at a miner: BLAKE3 root, size in bytes, and where."""

    root: bytes
    size: int
    miner: bytes
    url: str


@dataclass(slots=True)
class Exchange:
    """One request in a thread; `abort` from another thread makes its socket fail at once.

    `sock` is there while the request has a connection to itself. While it is `connecting`, or has
    not begun, `abort` cannot end it: that lasts as long as the peer lets it.
    """

    method: str
    url: str
    order: Order
    body: bytes | None = None
    transfer: Sending | None = None
    coming: Receiving = field(default_factory=Receiving)
    aborted: bool = False
    connecting: bool = True
    sock: socket.socket | None = field(default=None, repr=False)

    def connect(self) -> None:
        """To be called before a connection is asked for. Raises ConnectionAbortedError."""
        self.connecting = True  # before the look at `aborted`: the other thread looks in turn
        if self.aborted:
            raise ConnectionAbortedError

    def abort(self) -> None:
        """End it."""
        self.aborted = True
        interrupt(self.sock)


def require_success(response: http.client.HTTPResponse, url: str) -> None:
    """Raise what the peer says."""
    if response.status >= _BAD_REQUEST:
        raise error_of(response.status, response.read(_ERROR_BYTES_MAX), url)


def shard_url(shard: ShardAt) -> str:
    """Where its miner serves it."""
    return f"{shard.url.rstrip('/')}/v1/shards/{shard.root.hex()}"


def receipt_in(response: http.client.HTTPResponse) -> Receipt:
    """A receipt, not yet verified."""
    return decode_receipt(response.read(_ERROR_BYTES_MAX))


def shard_in(response: http.client.HTTPResponse, shard: ShardAt) -> bytes:
    """All bytes of the shard. Raises ProofError for fewer or more."""
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


def slice_in(response: http.client.HTTPResponse, max_bytes: int, shard: ShardAt) -> bytes:
    """A slice of the shard. Raises ProofError for more bytes than it may have."""
    data = response.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ProofError(
            f"miner {address(shard.miner)} sent more than the {max_bytes} bytes of a slice of "
            f"shard {shard.root.hex()[:16]}"
        )
    return data
