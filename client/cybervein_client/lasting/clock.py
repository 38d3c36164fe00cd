"""The network's time by one plain request: `ls` needs no more, and starts without a client for it.

Nothing secret is asked or told, so nothing is signed; TLS believes whom the other requests believe.
"""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cybervein_client.lifetimes import NetworkTime

if TYPE_CHECKING:
    from cybervein_runtime.network_file import NetworkFile

PATIENCE_SECONDS: Final = 2.0
_ANSWER_BYTES_MAX: Final = 1 << 20
_OK: Final = 200


def ask_time(network: "NetworkFile") -> NetworkTime | None:
    """What the super node's clock says, None where it does not answer, or not sensibly."""
    parts = urlsplit(network.url)
    try:
        with closing(_connection(network)) as connection:
            connection.request("GET", f"{parts.path.rstrip('/')}/v1/network")
            answer = connection.getresponse()
            said = json.loads(answer.read(_ANSWER_BYTES_MAX)) if answer.status == _OK else {}
        epoch, now, ends = int(said["epoch"]), float(said["now"]), float(said["epoch_ends"])
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return None
    return NetworkTime(epoch, now, ends, network.genesis.preset.epoch_seconds)


def _connection(network: "NetworkFile") -> HTTPConnection:
    parts = urlsplit(network.url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return HTTPConnection(host, parts.port, timeout=PATIENCE_SECONDS)
    believed = network.trust.of(network.url)
    context = None if isinstance(believed, bool) else believed
    return HTTPSConnection(host, parts.port, timeout=PATIENCE_SECONDS, context=context)
