"""Live events: bounded for everybody, complete for those who keep up."""

from cybervein_protocol.api.super_node.events import BlockEvent, EpochEvent, EventDocument
from cybervein_protocol.names import Veins
from cybervein_supernode.desk import events
from cybervein_supernode.desk.events import EventHub
from msgspec.structs import replace


def hub() -> EventHub:
    return EventHub(lambda: 5.0)


def block(height: int) -> BlockEvent:
    return BlockEvent(height=height, epoch=0, units=1, voids=0, kinds=["transfer"], app_hash="")


def height_of(event: EventDocument) -> int:
    assert isinstance(event, BlockEvent)
    return event.height


async def test_a_listener_gets_every_event_in_order_with_its_time() -> None:
    made = hub()
    with made.subscribe() as listener:
        made.publish(block(1))
        made.publish(EpochEvent(epoch=0, minted=Veins(0), weight=0, beacon=""))
        first, second = await listener.next(), await listener.next()
    assert first is not None
    assert second is not None
    assert first.document == replace(block(1), time=5.0)
    assert (second.document.name, second.number) == ("epoch", first.number + 1)


async def test_a_listener_that_comes_back_gets_what_it_missed() -> None:
    made = hub()
    for height in range(5):
        made.publish(block(height))
    with made.subscribe(after=3) as listener:
        missed = [await listener.next() for _ in range(2)]
    assert [height_of(event.document) for event in missed if event] == [3, 4]


async def test_a_slow_listener_is_cut_off_and_the_others_are_not() -> None:
    made = hub()
    with made.subscribe() as slow, made.subscribe() as quick:
        for height in range(events.QUEUE_EVENTS_MAX + 10):
            made.publish(block(height))
            event = await quick.next()
            assert event is not None
            assert height_of(event.document) == height
        assert slow.closed
        assert not quick.closed
        assert made.listeners == 1


async def test_history_is_short() -> None:
    made = hub()
    for height in range(events.HISTORY_EVENTS_MAX * 2):
        made.publish(block(height))
    with made.subscribe(after=0) as listener:
        first = await listener.next()
    assert first is not None
    assert first.number == events.HISTORY_EVENTS_MAX + 1


async def test_stopping_ends_every_stream() -> None:
    made = hub()
    with made.subscribe() as listener:
        made.stop()
        assert await listener.next() is None
