"""Live events: one hub, many listeners, each with a bounded queue.

A listener that does not keep up is cut off rather than allowed to hold memory or to slow the
others; a browser's EventSource reconnects automatically and catches up from the short history.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cybervein_protocol.api.super_node.events import EventDocument
from msgspec.structs import replace

HISTORY_EVENTS_MAX = 256
QUEUE_EVENTS_MAX = 512
LISTENERS_MAX = 64


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One thing that happened; `number` grows by one."""

    number: int
    document: EventDocument


class Subscription:
    """The queue of one listener; `closed` once it fell too far behind."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[NumberedEvent | None] = asyncio.Queue(QUEUE_EVENTS_MAX + 1)
        self.closed = False

    async def next(self) -> NumberedEvent | None:
        """The next event, or None once the hub stops."""
        return await self._queue.get()

    def stop(self) -> None:
        """End the stream after what is queued."""
        if not self._queue.full():
            self._queue.put_nowait(None)

    def offer(self, event: NumberedEvent) -> None:
        """Queue the event, or give the listener up where its queue is full."""
        if self._queue.qsize() >= QUEUE_EVENTS_MAX:
            self.closed = True
            self.stop()
        else:
            self._queue.put_nowait(event)


class EventHub:
    """Publishes to all listeners; called on the event loop only. `wall` gives unix seconds."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._number = 0
        self._history: deque[NumberedEvent] = deque(maxlen=HISTORY_EVENTS_MAX)
        self._listeners: set[Subscription] = set()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def publish(self, document: EventDocument) -> None:
        """Tell every listener, with the time. Never blocks."""
        self._number += 1
        event = NumberedEvent(self._number, replace(document, time=round(self._wall(), 3)))
        self._history.append(event)
        for listener in tuple(self._listeners):
            listener.offer(event)
            if listener.closed:
                self._listeners.discard(listener)

    def stop(self) -> None:
        """End every stream: the node stops."""
        for listener in tuple(self._listeners):
            listener.stop()

    @contextmanager
    def subscribe(self, after: int | None = None) -> Iterator[Subscription]:
        """A subscription, fed first with what history holds after event number `after`."""
        listener = Subscription()
        if after is not None:
            for event in self._history:
                if event.number > after:
                    listener.offer(event)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
