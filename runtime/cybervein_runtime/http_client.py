"""Signed HTTP requests with limits; a peer's error JSON comes back as the class it names."""

import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp
from cybervein_protocol import errors
from cybervein_protocol.http_signature import ORDER_HEADER, SignableRequest, sign_request
from cybervein_protocol.signing import KeyPair

from cybervein_runtime.json_text import parse_json
from cybervein_runtime.reasons import peer_reason
from cybervein_runtime.trust import Trust

DAG_CBOR = "application/vnd.ipld.dag-cbor"
CONNECT_SECONDS_MAX = 5.0
"""A machine that is gone answers nothing at all; one that is there answers in a round trip."""
_RESPONSE_BYTES_MAX = 64 << 20
_CLASSES = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.CyberVeinError)
}


@dataclass(frozen=True, slots=True)
class Response:
    """A successful answer, its body read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 -- JSON
        """The body as JSON. Raises MalformedError."""
        return parse_json(self.body, "the peer's answer")


def sign_headers(  # noqa: PLR0913 -- one call shows a whole request
    key: KeyPair,
    method: str,
    url: str,
    *,
    body: bytes | None,
    order: bytes | None = None,
    clock: Callable[[], float] = time.time,
) -> dict[str, str]:
    """The signature's headers (and the order's, base64url of its encoding) of a request."""
    headers: dict[str, str] = {}
    if order is not None:
        headers[ORDER_HEADER] = urlsafe_b64encode(order).rstrip(b"=").decode()
    request = SignableRequest(method, url, headers)
    return sign_request(request, key, now=int(clock()), nonce=secrets.token_hex(16), body=body)


def error_of(status: int, body: bytes, url: str) -> errors.CyberVeinError:
    """The error that a peer's answer states; UnavailableError for a bare 5xx."""
    try:
        document = parse_json(body, url)
        kind = _CLASSES.get(document["error"], errors.CyberVeinError)
        return kind(str(document["message"])[:2000])
    except (errors.MalformedError, KeyError, TypeError):
        kind = errors.UnavailableError if status >= 500 else errors.MalformedError  # noqa: PLR2004
        return kind(f"{url} answered {status} without a CyberVein error")


class SignedClient(AbstractAsyncContextManager["SignedClient"]):
    """Requests signed by `key` (or unsigned without one) over one aiohttp session."""

    def __init__(
        self,
        key: KeyPair | None = None,
        session: aiohttp.ClientSession | None = None,
        trust: Trust | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key, self._clock = key, clock
        self.trust = trust or Trust()
        self._own = session is None
        self._session = session

    @property
    def session(self) -> aiohttp.ClientSession:
        """The aiohttp session, opened at first use (inside a running loop)."""
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        return self._session

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session if it is this client's own."""
        if self._own and self._session is not None:
            await self._session.close()
            self._session = None

    async def request(  # noqa: PLR0913 -- one call shows a whole request
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        order: bytes | None = None,
        content_type: str = DAG_CBOR,
        timeout_seconds: float = 30,
        max_response_bytes: int = _RESPONSE_BYTES_MAX,
    ) -> Response:
        """One request. Raises the peer's error, or UnavailableError when it does not answer."""
        headers = {"content-type": content_type} if body is not None else {}
        if self._key is not None:
            headers |= sign_headers(
                self._key, method, url, body=body or b"", order=order, clock=self._clock
            )
        try:
            async with self.session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(
                    total=timeout_seconds, sock_connect=CONNECT_SECONDS_MAX
                ),
                allow_redirects=False,
                ssl=self.trust.of(url),
            ) as answer:
                data = await _read(answer, max_response_bytes, url)
                status, received = answer.status, dict(answer.headers)
        except aiohttp.ClientConnectorCertificateError as error:
            raise errors.UnavailableError(
                f"{url}: its certificate is not trusted ({error.certificate_error}); get a fresh "
                "network.json, or name its authority's file in SSL_CERT_FILE"
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.UnavailableError(
                f"{url} does not answer ({peer_reason(error)}); is it running?"
            ) from error
        if status >= 300:  # noqa: PLR2004 -- errors; a redirect is none of our answers
            raise error_of(status, data, url)
        return Response(status, received, data)

    async def get_json(self, url: str, *, timeout_seconds: float = 10) -> Any:  # noqa: ANN401 -- JSON
        """The JSON at `url`."""
        return (await self.request("GET", url, timeout_seconds=timeout_seconds)).json()


async def _read(answer: aiohttp.ClientResponse, max_bytes: int, url: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > max_bytes:
            raise errors.LimitError(f"{url} answers with more than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)
