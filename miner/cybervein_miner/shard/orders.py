"""What orders have used: bytes per order id, persisted, so that none is used beyond its limit."""

import sqlite3

from cybervein_protocol.errors import ReplayError
from cybervein_protocol.messages import Order

from cybervein_miner.record.journal import Journal


def charge(connection: sqlite3.Connection, order: Order, size: int) -> None:
    """Count `size` bytes (negative: give back) under the order. Raises ReplayError if used up."""
    rows = connection.execute("SELECT used FROM order_use WHERE id = ?", (order.id,)).fetchall()
    used = rows[0][0] if rows else 0
    require_left(order, used, size)
    connection.execute(
        "INSERT OR REPLACE INTO order_use VALUES (?, ?, ?)",
        (order.id, max(0, used + size), order.not_after_epoch),
    )


def require_left(order: Order, used: int, size: int) -> None:
    """Raise ReplayError unless `size` more bytes are within the order."""
    if used + size > order.max_bytes:
        raise ReplayError(
            f"order {order.id.hex()[:16]}: {used} of {order.max_bytes} bytes are used, {size} more "
            "do not fit; ask for a new order"
        )


class OrderBook:
    """Bytes used per order id."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def used(self, order: Order) -> int:
        """Bytes used under an order so far."""
        rows = self._journal.read("SELECT used FROM order_use WHERE id = ?", (order.id,))
        return int(rows[0][0]) if rows else 0

    async def charge(self, order: Order, size: int) -> None:
        """Count bytes before they are sent, so that a crash errs on the miner's side."""
        await self._journal.write(lambda db: charge(db, order, size), durable=False)

    async def forget(self, epoch: int) -> None:
        """Drop what can never be used again: orders that expired before `epoch`."""
        await self._journal.write(
            lambda db: db.execute("DELETE FROM order_use WHERE not_after_epoch < ?", (epoch,)),
            durable=False,
        )
