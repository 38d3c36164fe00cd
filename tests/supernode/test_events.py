"""Live events: bounded for everybody, complete for those who keep up."""

from cybervein_supernode.desk import events
from cybervein_supernode.desk.events import EventHub


def hub() -> EventHub:
    return EventHub(lambda: 5.0)


async def test_a_listener_gets_every_event_in_order_with_its_time() -> None:
    made = hub()
    with made.subscribe() as listener:
        made.publish("block", {"height": 1})
        made.publish("epoch", {"epoch": 0})
        first, second = await listener.next(), await listener.next()
    assert first is not None
    assert second is not None
    assert (first.kind, first.data["height"], first.data["time"]) == ("block", 1, 5.0)
    assert (second.kind, second.number) == ("epoch", first.number + 1)


async def test_a_listener_that_comes_back_gets_what_it_missed() -> None:
    made = hub()
    for height in range(5):
        made.publish("block", {"height": height})
    with made.subscribe(after=3) as listener:
        missed = [await listener.next() for _ in range(2)]
    assert [event.data["height"] for event in missed if event] == [3, 4]


async def test_a_slow_listener_is_cut_off_and_the_others_are_not() -> None:
    made = hub()
    with made.subscribe() as slow, made.subscribe() as quick:
        for height in range(events.QUEUE_EVENTS_MAX + 10):
            made.publish("block", {"height": height})
            event = await quick.next()
            assert event is not None
            assert event.data["height"] == height
        assert slow.closed
        assert not quick.closed
        assert made.listeners == 1


async def test_history_is_short() -> None:
    made = hub()
    for height in range(events.HISTORY_EVENTS_MAX * 2):
        made.publish("block", {"height": height})
    with made.subscribe(after=0) as listener:
        first = await listener.next()
    assert first is not None
    assert first.number == events.HISTORY_EVENTS_MAX + 1


async def test_stopping_ends_every_stream() -> None:
    made = hub()
    with made.subscribe() as listener:
        made.stop()
        assert await listener.next() is None
