"""Which addresses and URLs may be listened on, published and contacted. Pure; ADR 30."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from cybervein_protocol.errors import MalformedError

PORT_MAX = 65535
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether a resolved address is one of the open internet.

    Loopback, private, link-local, shared, multicast and reserved ones are not, nor are IPv6
    addresses that carry such an IPv4 address past the check (mapped, 6to4, NAT64).
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.is_site_local or ip in _SIX_TO_FOUR:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def check_peer_url(url: str) -> None:
    """Raise MalformedError unless `url` is plain http(s) without credentials."""
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise MalformedError(
            f"URL {url[:200]!r}: expected http:// or https://, a host and no credentials"
        )


def check_published_url(url: str) -> None:
    """Raise MalformedError unless others may be told of `url`: TLS, except on loopback."""
    check_peer_url(url)
    parts = _split(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise MalformedError(
            f"URL {url[:200]!r}: expected https:// for a host that is not loopback"
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError as error:
        raise MalformedError(f"URL {url[:200]!r}: {error}") from error
    return parts
