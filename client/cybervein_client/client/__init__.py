"""`AsyncClient`: every operation of a wallet, over one network, inside one event loop.

Duties: a room for each kind of operation. Requirements: everything else in this package.
"""

from cybervein_client.client.paying import PayingWallet
from cybervein_client.client.prolonging import ProlongingWallet
from cybervein_client.client.reading import ReadingWallet
from cybervein_client.client.storing import StoringWallet

__all__ = ["AsyncClient"]


class AsyncClient(StoringWallet, ReadingWallet, ProlongingWallet, PayingWallet):
    """Use as `async with AsyncClient(home) as client`."""
