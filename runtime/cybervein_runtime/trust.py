"""Whom TLS believes: the system's authorities, and a network's own one for its super nodes alone.

A private network names its authority in `network.json`. It must not vouch for anybody else: so it
goes into the context of requests to the super nodes' own origins, beside the system's authorities.
"""

import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

from cybervein_protocol.errors import MalformedError


class Trust:
    """What a request to a URL believes; without a `ca` (PEM) nothing but the system."""

    def __init__(self, ca: str = "", urls: Iterable[str] = ()) -> None:
        self._origins = {_origin(url) for url in urls}
        self._context = context_of(ca) if ca else None

    def of(self, url: str) -> ssl.SSLContext | bool:
        """The `ssl` argument of aiohttp: a context, or True for the system's."""
        if self._context is None or _origin(url) not in self._origins:
            return True
        return self._context


def context_of(ca: str, what: str = "ca") -> ssl.SSLContext:
    """The system's authorities and those of `ca`. Raises MalformedError naming `what`."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError, TypeError) as error:  # the last is of what is not ASCII
        raise MalformedError(
            f"{what}: no PEM certificate ({error}); name the authority's"
        ) from error
    return context


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port
