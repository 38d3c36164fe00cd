"""Failure domains: what is likely to fail together never holds two shards of a segment."""

import ipaddress
from urllib.parse import urlsplit

from cybervein_protocol.ledger.state.rows import MinerRow

_IPV4_BITS = 24
_IPV6_BITS = 48


def network_group(row: MinerRow, *, declared: bool) -> str:
    """The uplink a miner shares with others: declared, or its address' /24 or /48."""
    if declared:
        return row.group
    host = urlsplit(row.url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS  # noqa: PLR2004 -- IP version
    return str(ipaddress.ip_network((address, bits), strict=False))


def failure_domain(row: MinerRow, *, declared: bool) -> str:
    """Network group and owner, whichever is wider deciding for placement."""
    return f"{network_group(row, declared=declared)}/{row.owner}"
