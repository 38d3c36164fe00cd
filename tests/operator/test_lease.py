"""One operator acts in a namespace, whatever clocks, networks and processes do."""

import asyncio
from typing import Any

import msgspec
import pytest
from cluster.rest import Object
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import CONFLICT, ApiAwayError, ApiError, NotHolderError
from cybervein_operator.cluster.presence import WatchedKind
from cybervein_operator.cluster.request import Request
from cybervein_operator.judgement.lease import LeaseTimes
from cybervein_operator.judgement.pool import MinerOrder, Task
from cybervein_operator.judgement.tenure import LeaseSeen, Missing, SpaceSeen, report
from cybervein_operator.leases import LeaseHold
from cybervein_operator.metrics import Metrics
from cybervein_operator.spaces import WatchedSpace
from cybervein_operator.tenure import Tenure
from cybervein_operator.tidings import Tidings
from cybervein_operator.world import Key, World, pool_key
from hypothesis import given
from hypothesis import strategies as st
from waiting import until_async

TIMES = LeaseTimes(30)
ONE, TWO, OTHER = "ops/one/a", "ops/one/b", "far/two/c"


class Store:
    """One Lease as an API server keeps it."""

    def __init__(self) -> None:
        self.lease: Object | None = None
        self.version = 0

    def keep(self, spec: Object) -> Object:
        self.version += 1
        self.lease = {"metadata": {"resourceVersion": str(self.version)}, "spec": spec}
        return self.lease


class Line:
    """An operator's connection to it, which may be cut, before or after a write."""

    def __init__(self, store: Store) -> None:
        self.store, self.cut, self.deaf = store, False, False

    async def get(self, *_: object) -> Object | None:
        self._reach()
        return self.store.lease

    async def create(self, manifest: Object) -> Object | None:
        self._reach()
        return None if self.store.lease else self._answer(self.store.keep(manifest["spec"]))

    async def merge(self, _kind: object, _namespace: str, _name: str, body: Object) -> bytes:
        self._reach()
        now = self.store.lease
        if now is None or now["metadata"] != body["metadata"]:
            raise ApiError("it has changed", CONFLICT, "Conflict")
        return msgspec.json.encode(self._answer(self.store.keep(now["spec"] | body["spec"])))

    def _reach(self) -> None:
        if self.cut:
            raise ApiAwayError("cut")

    def _answer(self, kept: Object) -> Object:
        if self.deaf:
            raise ApiAwayError("written, and the answer was lost")
        return kept


class Operator:
    """One who wants the Lease, with a clock of its own."""

    def __init__(self, store: Store, name: str, now: list[float], offset: float = 0.0) -> None:
        self.line: Any = Line(store)
        self.hold = LeaseHold(self.line, "x", name, TIMES, clock=lambda: now[0] + offset)

    async def turn(self) -> None:
        try:
            await self.hold._turn()
        except (ApiError, ApiAwayError):
            return


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


async def test_the_first_takes_it_and_the_second_waits_until_it_expires(now: list[float]) -> None:
    store = Store()
    one, two = Operator(store, ONE, now), Operator(store, OTHER, now, offset=5e8)
    await one.turn()
    await two.turn()
    assert (one.hold.held, two.hold.held, two.hold.holder) == (True, False, ONE)
    now[0] += 29
    await two.turn()
    assert not two.hold.held
    assert not one.hold.held  # it stopped well before
    now[0] += 2
    await two.turn()
    assert two.hold.held
    await one.turn()
    assert (one.hold.held, one.hold.holder) == (False, OTHER)
    assert store.lease is not None
    assert store.lease["spec"]["leaseTransitions"] == 1


async def test_a_renewed_lease_never_expires_however_wrong_clocks_are(now: list[float]) -> None:
    store = Store()
    one, two = Operator(store, ONE, now), Operator(store, TWO, now, offset=-900)
    for _ in range(20):
        await one.turn()
        await two.turn()
        now[0] += TIMES.renewal
    assert not two.hold.held


async def test_given_back_it_is_free_at_once(now: list[float]) -> None:
    store = Store()
    one, two = Operator(store, ONE, now), Operator(store, TWO, now)
    await one.turn()
    await two.turn()
    await one.hold.release()
    assert not one.hold.held
    await two.turn()
    assert two.hold.held


async def test_a_pod_that_starts_again_takes_its_own_lease_at_once(now: list[float]) -> None:
    store = Store()
    await Operator(store, ONE, now).turn()
    again = Operator(store, ONE, now)
    await again.turn()
    assert again.hold.held


async def test_a_lease_that_was_deleted_is_still_its_holders_for_a_while(now: list[float]) -> None:
    store = Store()
    one, two = Operator(store, ONE, now), Operator(store, TWO, now)
    await one.turn()
    await two.turn()
    store.lease = None
    await two.turn()
    assert not two.hold.held
    await one.turn()
    assert one.hold.held


async def test_one_that_is_not_wanted_any_more_is_given_back(now: list[float]) -> None:
    store = Store()
    one = Operator(store, ONE, now)
    await one.turn()
    one.hold.wanted = lambda: False
    await one.turn()
    assert not one.hold.held
    assert store.lease is not None
    assert store.lease["spec"]["holderIdentity"] == ""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["turn", "cut", "deaf", "mend"]), st.integers(0, 2), st.floats(0, 12)
    ),
    max_size=60,
)


@given(STEPS)
def test_never_do_two_hold_it_and_every_write_is_over_before_the_next_begins(
    steps: list[tuple[str, int, float]],
) -> None:
    asyncio.run(lived_through(steps))


async def lived_through(steps: list[tuple[str, int, float]]) -> None:
    """Three operators whose lines are cut and mended; a deaf one writes and hears no answer."""
    store, now = Store(), [0.0]
    everybody = [Operator(store, each, now, n * 1e6) for n, each in enumerate((ONE, TWO, OTHER))]
    writes_end = [0.0] * len(everybody)
    for what, who, seconds in steps:
        now[0] += seconds
        each = everybody[who]
        if what == "turn":
            await each.turn()
        each.line.cut = what == "cut" or (what == "turn" and each.line.cut)
        each.line.deaf = what == "deaf" or (what == "turn" and each.line.deaf)
        holders = [n for n, one in enumerate(everybody) if one.hold.held]
        assert len(holders) <= 1
        for holder in holders:
            others = writes_end[:holder] + writes_end[holder + 1 :]
            assert all(end <= now[0] for end in others)
            writes_end[holder] = now[0] + everybody[holder].hold.seconds_left()


async def test_a_write_is_not_even_sent_where_another_operator_may_be_at_work() -> None:
    sent: list[str] = []

    class Session:
        def request(self, *_: object, **__: object) -> object:
            sent.append("sent")
            raise OSError

        async def close(self) -> None: ...

    class NoLogin:
        server = "http://127.0.0.1:1"

        async def headers(self) -> dict[str, str]:
            return {}

        def session(self, _: str) -> Session:
            return Session()

    left = {"mine": 7.0, "theirs": 0.0}
    client = ClusterClient(
        NoLogin(),  # type: ignore[arg-type]
        Counted(),  # type: ignore[arg-type]
        concurrency=1,
        fence=lambda namespace: left[namespace],
    )
    with pytest.raises(NotHolderError, match="does not hold the Lease of namespace theirs"):
        await client.delete(ClusterKind.SERVICE, "theirs", "home-0", "uid")
    assert sent == []
    path = ClusterKind.SERVICE.resource.path("mine", "home-0")
    write = Request(verb="delete", kind=ClusterKind.SERVICE, path=path)
    assert client._seconds(write) == 7.0
    read = Request(verb="get", kind=ClusterKind.SERVICE, path=path.replace("mine", "theirs"))
    assert client._seconds(read) == 60


class Counted:
    """No metrics."""

    def api_call(self, *_: object) -> None: ...


def lease(holder: str, *, held: bool = False, problem: str = "") -> LeaseSeen:
    return LeaseSeen("x", tried=True, held=held, holder=holder, problem=problem)


def test_ready_is_who_acts_or_stands_by_for_its_own_release() -> None:
    whole = SpaceSeen("x", 9, (), ())
    for seen, ready, words in (
        (lease(ONE, held=True), True, "namespace x: acts"),
        (lease(TWO), True, f"namespace x: stands by, {TWO} acts"),
        (lease(OTHER), False, f"held by {OTHER}, another release's operator"),
        (lease(ONE, problem="leases is forbidden"), False, "leases is forbidden"),
        (lease(""), False, "being asked for"),
    ):
        found = report([whole], [seen], ONE)
        assert found.ready is ready
        assert words in found.text


def test_what_is_missing_is_named_and_one_namespace_does_not_speak_for_another() -> None:
    words = "statefulsets.apps is forbidden"
    part = SpaceSeen("y", 9, (), (Missing("StatefulSet", words),))
    gone = SpaceSeen("z", 2, (), (Missing("MinerPool", words), Missing("Pod", words)))
    found = report([SpaceSeen("x", 9, (), ()), part, gone], [lease(ONE, held=True)], ONE)
    assert not found.ready
    one, two, three = sorted(found.text.splitlines())
    assert one == "namespace x: acts"
    assert "namespace y: StatefulSet cannot be watched" in two
    assert "namespace z: nothing there may be watched, it was deleted" in three


class Fixed:
    """A Lease that is held as the test says."""

    def __init__(self, namespace: str) -> None:
        self.namespace, self.held, self.tried = namespace, True, True
        self.holder, self.problem = ONE, ""
        self.wanted: Any = None
        self.listener: Any = None

    async def run(self) -> None:
        await asyncio.Event().wait()

    def look_again(self) -> None: ...

    def turn(self, *, held: bool) -> None:
        self.held = held
        self.listener()


async def test_what_is_lost_is_forgotten_and_begins_again_when_it_comes_back() -> None:
    world, added, forgotten, holds = World(), list[Key](), list[tuple[str, str]](), list[Fixed]()
    body = {
        "metadata": {"name": "home", "namespace": "x", "uid": "u"},
        "spec": {
            "networkRef": {"name": "net"},
            "disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}],
        },
    }
    world.pools["x", "home"] = parse(MinerPool, body)
    kind = WatchedKind(ClusterKind.POD, "x")
    kind.listed()

    def hold(namespace: str) -> Fixed:
        holds.append(Fixed(namespace))
        return holds[-1]

    tenure = Tenure(
        [WatchedSpace("x", (kind,), ())],
        me=ONE,
        hold=hold,  # type: ignore[arg-type]
        world=world,
        tidings=Tidings(ONE, world, Metrics(), None),  # type: ignore[arg-type]
    )
    tenure.add, tenure.forget = lambda key, _: added.append(key), forgotten.append
    running = asyncio.create_task(tenure.run())
    try:
        await until_async(lambda: soon(added == [pool_key("x", "home")]), "it begins")
        assert tenure.may("x")
        world.orders["x", "home-0"] = MinerOrder(Task.RUN)
        holds[0].turn(held=False)
        assert not tenure.may("x")
        await until_async(lambda: soon(forgotten), "its miners are forgotten")
        assert world.orders == {}
        world.orders["x", "home-0"] = MinerOrder(Task.RUN)  # by work that was under way
        holds[0].turn(held=True)
        await until_async(lambda: soon(len(added) == 2), "it begins again")
        assert world.orders == {}
    finally:
        running.cancel()


async def soon(met: object) -> bool:
    """What holds now, as `until_async` asks for it."""
    return bool(met)


def test_a_refusal_counts_when_it_has_lasted_and_ends_with_the_next_list() -> None:
    now, told = [0.0], list[bool]()
    kind = WatchedKind(ClusterKind.POD, "x", clock=lambda: now[0])
    kind.listener = lambda: told.append(kind.there)
    kind.listed()
    assert not kind.refused(500, "it starts")  # says nothing of rights
    for now[0], there in ((1.0, True), (3.0, True), (6.5, False), (9.0, False)):
        kind.refused(403, "pods is forbidden")
        assert kind.there is there
    assert kind.refusal == "pods is forbidden"
    kind.listed()
    assert kind.there
    assert told == [True, False, True]
    kind.refused(404, "404 page not found")
    assert kind.refusal == "the API server has no kind Pod (v1)"
