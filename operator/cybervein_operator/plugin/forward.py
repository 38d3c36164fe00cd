"""One page of a pod, fetched through `kubectl port-forward`'s own way.

The API server hands the connection to the pod's kubelet, which opens it inside the pod. No
NetworkPolicy stands in between, while the API server's proxy comes to the pod as a stranger whom
the chart's policies keep out. The protocol is the older one over a WebSocket, `v4.channel.k8s.io`:
each message begins with a channel, 0 for bytes and 1 for what went wrong, and the first on either
repeats the port in two bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import aiohttp
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.reasons import peer_reason

if TYPE_CHECKING:
    from cybervein_operator.cluster.login import Login

_PROTOCOL: Final = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_PORT_BYTES: Final = 2
_SECONDS: Final = 20
_BYTES_MAX: Final = 16 << 20
_OK: Final = b" 200 "
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


async def page(login: Login, pod_path: str, port: int, path: str, user_agent: str) -> bytes:
    """What a pod answers at `http://localhost:PORT/PATH`. Raises UnavailableError with the reason.

    `pod_path` is the pod's path at the API server.
    """
    what = f"forward a port to {pod_path.rpartition('/')[2]}:{port}"
    url = f"{login.server}{pod_path}/portforward?ports={port}"
    try:
        async with (
            login.session(user_agent) as session,
            session.ws_connect(
                url,
                protocols=(_PROTOCOL,),
                headers=await login.headers(),
                timeout=aiohttp.ClientWSTimeout(ws_receive=_SECONDS, ws_close=_SECONDS),
                max_msg_size=_BYTES_MAX,
            ) as stream,
        ):
            return _body(await _asked(stream, path), what)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnavailableError(f"{what}: {peer_reason(error)}") from error


async def _asked(stream: aiohttp.ClientWebSocketResponse, path: str) -> bytes:
    """Everything that came back. Raises ConnectionError with the kubelet's words."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    await stream.send_bytes(bytes([_DATA]) + request.encode())
    came = {_DATA: bytearray(), _ERROR: bytearray()}
    async for message in stream:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        came[message.data[0]] += message.data[1:]
        if _whole(came[_DATA][_PORT_BYTES:]) or len(came[_DATA]) > _BYTES_MAX:
            break  # nobody closes: either side waits for the other
    wrong = came[_ERROR][_PORT_BYTES:].decode(errors="replace").strip()
    if wrong:
        raise ConnectionError(wrong)
    return bytes(came[_DATA][_PORT_BYTES:])


def _whole(answer: bytearray) -> bool:
    """Whether it is as long as it says that it is."""
    head, end, body = answer.partition(b"\r\n\r\n")
    told = _LENGTH.search(head)
    return bool(end) and told is not None and len(body) >= int(told[1])


def _body(answer: bytes, what: str) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0]
    if _OK not in status + b" ":
        said = status.decode(errors="replace") or "no answer"
        raise UnavailableError(f"{what}: {said}")
    return body
