"""CyberVein's client: store files on a network of miners, read them back, pay for it.

For programs: `Client` (blocking) and `AsyncClient`, the same operations. For people: the
`cybervein` command in `cybervein_command`. See docs/client.md.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cybervein_client.client import AsyncClient
    from cybervein_client.sync import Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> object:
    """Import a class when it is asked for: a home is known without all that a put needs."""
    if name == "AsyncClient":
        from cybervein_client.client import AsyncClient  # noqa: PLC0415 -- see above

        return AsyncClient
    if name == "Client":
        from cybervein_client.sync import Client  # noqa: PLC0415 -- see above

        return Client
    raise AttributeError(f"module 'cybervein_client' has no attribute '{name}'")
