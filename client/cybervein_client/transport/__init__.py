"""Shards over HTTP: whole shards move between a memory view and a socket without copies.

Duties: PUT, GET, slices and DELETE at miners, each signed and under an order. Requirements: worker
threads. Why threads and plain sockets beside the async core: one `sendall` or `recv_into` moves
megabytes per Python event and releases the interpreter, where an event loop would copy and wake up
for each 64 to 256 KiB.
"""

from cybervein_client.transport.bulk import BulkTransport
from cybervein_client.transport.exchange import ShardAt
from cybervein_client.transport.receiving import Receiving
from cybervein_client.transport.sending import Sending

__all__ = ["BulkTransport", "Receiving", "Sending", "ShardAt"]
