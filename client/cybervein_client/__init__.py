"""CyberVein's client: store files on a network of miners, read them back, pay for it.

For programs: `Client` (blocking) and `AsyncClient`, the same operations. For people: the
`cybervein` command in `cybervein_command`. See docs/client.md.
"""

from cybervein_client.client import AsyncClient
from cybervein_client.sync import Client

__all__ = ["AsyncClient", "Client"]
