"""The server's border: limits on bodies, and who signed a request."""

import time
from collections import OrderedDict
from collections.abc import Callable

from cybervein_protocol.errors import (
    ExpiredError,
    LimitError,
    ReplayError,
    UnavailableError,
)
from cybervein_protocol.http_signature import (
    CLOCK_SKEW_SECONDS_MAX,
    ORDER_HEADER,
    SignableRequest,
    Signer,
    verify_request,
)
from cybervein_protocol.names import PublicKey
from fastapi import Request

_COVERED_HEADERS = ("signature-input", "signature", "content-digest", ORDER_HEADER)
_NONCES_MAX = 200_000


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The request's body, refused as soon as it exceeds `max_bytes`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise LimitError(f"{request.url.path}: body of {declared} bytes, at most {max_bytes}")
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > max_bytes:
            raise LimitError(f"{request.url.path}: body above {max_bytes} bytes")
    return bytes(data)


class Authenticator:
    """Verifies signatures and accepts each nonce once; the clock is handed in (unix s)."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._started = monotonic()
        self._nonces: OrderedDict[tuple[bytes, str], int] = OrderedDict()

    def authenticate(
        self, request: Request, body: bytes | None, *, fresh: bool = False
    ) -> PublicKey:
        """Who signed `request`. Raises SignatureError, ExpiredError or ReplayError.

        `fresh` refuses what was signed before this process ran, as it may have been used then.
        """
        headers = {
            name: request.headers[name] for name in _COVERED_HEADERS if name in request.headers
        }
        signable = SignableRequest(request.method, str(request.url), headers)
        now = int(self._clock())
        signer = verify_request(signable, now=now, body=body)
        began = now - int(self._monotonic() - self._started)
        if fresh and signer.created < began - 1:
            raise ExpiredError(
                f"{request.url.path}: signed at {signer.created}, this process runs since {began} "
                "(unix s); sign the request again"
            )
        self._accept_once(signer, now)
        return signer.public

    def _accept_once(self, signer: Signer, now: int) -> None:
        self._forget_expired(now)
        key = (signer.public, signer.nonce)
        if key in self._nonces:
            raise ReplayError(f"request nonce {signer.nonce} was used before; sign a fresh request")
        if len(self._nonces) >= _NONCES_MAX:
            raise UnavailableError("too many signed requests at once; try again in a minute")
        self._nonces[key] = signer.expires + CLOCK_SKEW_SECONDS_MAX

    def _forget_expired(self, now: int) -> None:
        """Oldest first: one that outlives its successor only stays a little longer."""
        while self._nonces and next(iter(self._nonces.values())) < now:
            self._nonces.popitem(last=False)
