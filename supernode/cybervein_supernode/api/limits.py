"""A rate limit per client address: a token bucket, in front of everything else.

Several miners may share an address (one home, one cluster), so the limit is wide: it stops a loop
that ran wild, not a busy site.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from cybervein_protocol.errors import RateError
from cybervein_runtime.http_border import Asgi, Receive, Scope, Send
from cybervein_runtime.http_errors import error_response

RATE_PER_SECOND = 300.0
BURST = 1500.0
ADDRESSES_MAX = 10_000
PROBES = frozenset({"/startupz", "/readyz", "/healthz"})
"""Not limited: whoever probes may share its address with a busy neighbour."""


class Buckets:
    """Tokens by address; the address that was quiet longest is forgotten first."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        rate: float = RATE_PER_SECOND,
        burst: float = BURST,
    ) -> None:
        self._monotonic, self._rate, self._burst = monotonic, rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether this address may make one more request now."""
        address, now = _network(address), self._monotonic()
        tokens, then = self._buckets.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        allowed = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if allowed else tokens, now)
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        return allowed


def _network(address: str) -> str:
    """One site: an IPv4 address, or the /64 that every IPv6 host can choose from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if ip.version == 4 else str(ipaddress.IPv6Address(int(ip) >> 64 << 64))  # noqa: PLR2004


class RateLimit:
    """ASGI middleware: 429 with a readable error once the bucket is empty."""

    def __init__(self, app: Asgi, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        client = scope.get("client")
        probe = scope["type"] != "http" or scope["path"] in PROBES
        if probe or client is None or self._buckets.take(client[0]):
            await self._app(scope, receive, send)
            return
        message = f"more than {RATE_PER_SECOND:.0f} requests per second; slow down and try again"
        answer = error_response(RateError(message), {"retry-after": "1"})
        await answer(scope, receive, send)
