"""What orders have used: bytes per order id, persisted, so that none is used beyond its limit.

A read leaves no trace on a disk or the ledger, so a journal that was made anew does not know what
running orders had used: that is said until the last of them has run out. An upload needs no memory:
a shard that is here is answered by its receipt, and charges nothing.
"""

import sqlite3
from typing import Final

import structlog
from cybervein_protocol.errors import ReplayError
from cybervein_protocol.messages import Order

from cybervein_miner.record.journal import Journal

_UNTIL: Final = "orders_unknown_until"
_UNDECIDED: Final = -1
"""In a new journal, until the ledger says whether this miner was there before it."""
_ALL_KNOWN: Final = -2
_FRESH: Final = "SELECT NOT EXISTS (SELECT 1 FROM disk) AND NOT EXISTS (SELECT 1 FROM counter)"
_log = structlog.get_logger()


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
        [(fresh,)] = journal.read(_FRESH)
        if fresh:
            journal.write_now(lambda db: _keep(db, _UNDECIDED))
        rows = journal.read("SELECT value FROM counter WHERE name = ?", (_UNTIL,))
        self._until = int(rows[0][0]) if rows else _ALL_KNOWN

    def unknown_until(self, epoch: int) -> int | None:
        """The last epoch of orders whose use is not known; None where all is known."""
        return self._until if self._until >= epoch else None

    async def decide(self, epoch: int, registered: int | None, order_epochs: int) -> None:
        """After the first answer of a ledger that has this miner since epoch `registered`, or not.

        `order_epochs` is how long an order runs.
        """
        if self._until != _UNDECIDED:
            return
        lost = registered is not None and registered < epoch
        until = epoch + order_epochs if lost else _ALL_KNOWN
        await self._journal.write(lambda db: _keep(db, until))
        self._until = until
        if lost:
            _log.warning(
                "the journal is new: what running orders had used is not known, so each may be "
                "used once more",
                until_epoch=until,
            )

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


def _keep(connection: sqlite3.Connection, until: int) -> None:
    connection.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", (_UNTIL, until))
