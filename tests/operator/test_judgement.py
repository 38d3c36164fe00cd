"""What is decided, case by case: no cluster is needed to know it."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cybervein_operator.api import (
    ConditionStatus,
    ConditionType,
    DiskPhase,
    MinerDisk,
    MinerPhase,
    MinerPool,
    parse,
    to_plain,
)
from cybervein_operator.judgement import disk as disks
from cybervein_operator.judgement.conditions import Answers, ConditionAnswer, conditions, notices
from cybervein_operator.judgement.holdings import moved
from cybervein_operator.judgement.miner import Facts, MinerVerdict, Trouble, judge
from cybervein_operator.judgement.pool import MinerOrder, Task, order, plan
from cybervein_operator.judgement.rollout import borne, grants, may_stop, under_way
from cybervein_operator.judgement.summary import answers, attention, sums
from cybervein_operator.miners.report import Poll, Report, report_of
from cybervein_operator.observed.facts import PodFacts
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.placement import default_code
from documents import made
from hypothesis import given
from hypothesis import strategies as st

READY = PodFacts(ready=True, running=True, node="n", revision="r", reason="", message="")
STARTING = msgspec.structs.replace(READY, ready=False, running=False)
CRASHING = msgspec.structs.replace(STARTING, reason="CrashLoopBackOff", message="it exits")
HOMELESS = msgspec.structs.replace(
    STARTING,
    reason="Unschedulable",
    message="unbound PersistentVolumeClaims",
    unscheduled=datetime.now(UTC),
)
ALIVE = made(DiskDocument, id="d0", path="/d/a", state="ready")
DEAD = (
    made(DiskDocument, id="d1", path="/d/b", state="missing", reason="is it mounted?"),
    made(DiskDocument, id="d2", path="/d/c", state="quarantined", reason="I/O errors"),
)


def report(**known: Any) -> Report:
    return report_of(made(StatusDocument, address="cv1", **msgspec.to_builtins(known)))


def polled(**known: Any) -> Poll:
    return Poll(0.0, report(**known))


def facts(ordinal: int = 0, **known: Any) -> Facts:
    default: dict[str, Any] = {
        "leave": "",
        "exists": True,
        "template": "old",
        "wish": "old",
        "pod": READY,
        "poll": polled(epoch=5, last_proved_epoch=5),
    }
    return Facts(f"home-{ordinal}", ordinal, **(default | known))


def pool(replicas: int = 3, **spec: Any) -> MinerPool:
    body = {
        "metadata": {"name": "home", "namespace": "x", "uid": "u", "generation": 1},
        "spec": {
            "networkRef": {"name": "net"},
            "replicas": replicas,
            "disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}],
            **spec,
        },
    }
    return parse(MinerPool, body)


@pytest.mark.parametrize(
    ("known", "phase", "reason"),
    [
        ({}, MinerPhase.READY, ""),
        ({"exists": False}, MinerPhase.PENDING, "Creating"),
        ({"pod": None}, MinerPhase.PENDING, "NoPod"),
        ({"pod": STARTING}, MinerPhase.STARTING, "NotReady"),
        ({"poll": None}, MinerPhase.READY, ""),
        ({"poll": Poll(0.0, None, "no route", 1)}, MinerPhase.READY, ""),
        ({"poll": Poll(0.0, None, "no route", 2)}, MinerPhase.UNREACHABLE, "NoAnswer"),
        ({"poll": polled(degraded=("disk b",))}, MinerPhase.DEGRADED, "Reported"),
        ({"trouble": Trouble("IdentityLost", "gone")}, MinerPhase.BLOCKED, "IdentityLost"),
        ({"leave": "scaled", "exists": False}, MinerPhase.DRAINED, "Drained"),
        ({"leave": "scaled"}, MinerPhase.DRAINING, "Asking"),
        ({"leave": "scaled", "poll": polled(draining=True)}, MinerPhase.DRAINING, "Moving"),
        (
            {"leave": "scaled", "poll": polled(draining=True, drained=True)},
            MinerPhase.DRAINED,
            "Stopping",
        ),
        ({"granted": True, "template": "old", "wish": "new"}, MinerPhase.UPDATING, "Rollout"),
        ({"granted": True, "pod": STARTING}, MinerPhase.UPDATING, "Rollout"),
        ({"granted": True, "pod": CRASHING}, MinerPhase.DEGRADED, "CrashLoopBackOff"),
        (
            {"granted": True, "pod": CRASHING, "settled": False},
            MinerPhase.UPDATING,
            "Rollout",
        ),
        ({"pod": HOMELESS}, MinerPhase.PENDING, "Unschedulable"),
        ({"pod": HOMELESS, "binding": True}, MinerPhase.PENDING, "WaitingForVolumes"),
        ({"pod": STARTING, "poll": polled(disks=DEAD)}, MinerPhase.DEGRADED, "MissingDisk"),
        ({"pod": STARTING, "poll": polled(disks=(ALIVE, *DEAD))}, MinerPhase.STARTING, "NotReady"),
        ({"poll": polled(disks=(ALIVE, *DEAD))}, MinerPhase.DEGRADED, "MissingDisk"),
        (
            {"pod": STARTING, "poll": Poll(0.0, report(disks=DEAD), "no route", 1)},
            MinerPhase.STARTING,
            "NotReady",
        ),
    ],
)
def test_phases(known: dict[str, Any], phase: MinerPhase, reason: str) -> None:
    verdict = judge(facts(**known))
    assert (verdict.phase, verdict.reason) == (phase, reason)


GROWTH = Trouble("ClaimCannotGrow", "it has 1Gi", blocks=False, spares=True)


def test_what_spares_a_miner_leaves_its_phase_and_degrades_its_pool() -> None:
    miners = [facts(0, trouble=GROWTH), facts(1)]
    verdicts = {each.name: judge(each) for each in miners}
    assert [each.phase for each in verdicts.values()] == [MinerPhase.READY] * 2
    said = answers(pool(2), verdicts, sums(miners, verdicts), None)
    assert said.ready.so
    assert (said.degraded.so, said.degraded.reason) == (True, "ClaimCannotGrow")
    assert said.degraded.message == "home-0: it has 1Gi"


def test_what_passes_makes_a_pool_progress() -> None:
    grows = Trouble("ClaimGrows", "it grows", blocks=False, spares=True, passes=True)
    miners = [facts(trouble=grows)]
    verdicts = {each.name: judge(each) for each in miners}
    said = answers(pool(1), verdicts, sums(miners, verdicts), None)
    assert (said.degraded.so, said.progressing.so) == (False, True)
    assert said.progressing.reason == "ClaimGrows"


def test_a_miner_that_starts_says_what_is_refused_of_it() -> None:
    refused = Trouble("Refused", "StatefulSet home-0 is refused", blocks=False, spares=True)
    verdict = judge(facts(exists=False, trouble=refused))
    assert (verdict.phase, verdict.reason) == (MinerPhase.PENDING, "Refused")


def test_a_pool_object_that_is_refused_degrades_the_pool_alone() -> None:
    refused = Trouble("Refused", "PodDisruptionBudget home", blocks=False, spares=True)
    miners = [facts()]
    verdicts = {each.name: judge(each) for each in miners}
    said = answers(pool(1), verdicts, sums(miners, verdicts), refused)
    assert said.ready.so
    assert (said.degraded.so, said.degraded.message) == (True, "PodDisruptionBudget home")


def test_a_miner_whose_claim_goes_with_its_pod_is_not_replaced() -> None:
    goes = Trouble("ClaimTerminating", "it goes", blocks=False, spares=True, holds=True)
    known = [facts(0, wish="new", trouble=goes), facts(1, wish="new")]
    assert grants(known, max_unavailable=2, epoch=5, budget=2) == {"home-1"}
    down = [facts(0, wish="new", pod=STARTING, trouble=goes)]
    assert grants(down, max_unavailable=2, epoch=5, budget=2) == set()


def test_a_miner_without_disks_has_the_first_named_and_the_others_counted() -> None:
    verdict = judge(facts(pod=STARTING, poll=polled(disks=DEAD)))
    assert verdict.message == "disk b: is it mounted? (and 1 more)"


def test_a_miner_is_stopped_only_once_it_says_itself_that_it_is_drained() -> None:
    drained = polled(draining=True, drained=True)
    assert order(facts(leave="scaled"), update=False) == MinerOrder(Task.DRAIN)
    assert order(facts(leave="scaled", poll=None), update=False) == MinerOrder(Task.DRAIN)
    assert order(facts(leave="scaled", poll=drained), update=False) == MinerOrder(Task.STOP)
    assert order(facts(poll=drained), update=False) == MinerOrder(Task.RUN)
    cancelled = polled(draining=False, drained=True)
    assert order(facts(leave="scaled", poll=cancelled), update=False) == MinerOrder(Task.DRAIN)


def test_proofs_are_waited_for() -> None:
    assert may_stop(facts(), 5)
    assert not may_stop(facts(), 6)
    assert may_stop(facts(proved=6), 6)
    assert may_stop(facts(pod=STARTING), 6)
    assert may_stop(facts(poll=polled(epoch=6, last_proved_epoch=None)), 6)
    assert not may_stop(facts(poll=None), 6)
    assert may_stop(facts(), None)


def test_an_upgrade_is_over_when_it_has_proved_again_or_an_epoch_has_passed() -> None:
    new = {"template": "new", "wish": "new", "granted": True, "granted_epoch": 5}
    assert under_way(facts(**new), 5)
    assert not under_way(facts(**new), 6)
    assert not under_way(facts(**new, proved=6), 5)
    assert under_way(facts(**new | {"pod": STARTING}), 9)
    assert not under_way(facts(**new | {"poll": polled(epoch=5, last_proved_epoch=None)}), 5)


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 4),
    st.integers(-2, 5),
)
def test_no_ready_miner_is_stopped_beyond_what_may_be_down(
    rows: list[tuple[bool, bool, bool, bool]], most: int, budget: int
) -> None:
    miners = [
        facts(
            number,
            pod=READY if ready else STARTING,
            wish="new" if outdated else "old",
            poll=polled(epoch=5, last_proved_epoch=5 if proved else 4),
            granted=granted,
            granted_epoch=5,
        )
        for number, (ready, outdated, proved, granted) in enumerate(rows)
    ]
    chosen = grants(miners, max_unavailable=most, epoch=5, budget=budget)
    down = {each.name for each in miners if not each.ready}
    busy = {each.name for each in miners if under_way(each, 5)}
    stopped = chosen - down - busy
    assert len(stopped) <= max(0, min(most, budget) - len(down | busy))
    for each in miners:
        if each.name in stopped:
            assert each.outdated
            assert may_stop(each, 5)


@given(st.integers(0, 60))
def test_what_is_borne_leaves_a_spare_domain_wherever_there_are_two(domains: int) -> None:
    allowed = borne(domains)
    assert allowed >= 1
    if domains >= 3 and allowed > 1:
        assert domains - allowed >= default_code(domains).n + 1


def test_the_status_adds_up_and_names_the_urgent_first() -> None:
    miners = [
        facts(0),
        facts(1, pod=STARTING),
        facts(2, trouble=Trouble("IdentityLost", "gone")),
    ]
    decided = plan(pool(), miners, epoch=5, budget=1)
    added = sums(miners, decided.verdicts)
    assert (added.existing, added.ready) == (3, 1)
    assert [each.miner for each in attention(miners, decided.verdicts)] == ["home-2", "home-1"]
    said = answers(pool(), decided.verdicts, added, None)
    assert said.ready.so is False
    assert said.degraded == ConditionAnswer("IdentityLost", "home-2: gone", so=True)


@pytest.mark.parametrize(("binding", "reason"), [(True, "AsExpected"), (False, "Unschedulable")])
def test_waiting_for_volumes_is_progress_and_no_node_for_long_is_trouble(
    binding: bool,  # noqa: FBT001 -- a case
    reason: str,
) -> None:
    miners = [facts(0, pod=HOMELESS, binding=binding)]
    decided = plan(pool(1), miners, epoch=5, budget=1)
    said = answers(pool(1), decided.verdicts, sums(miners, decided.verdicts), None)
    assert said.progressing == ConditionAnswer("Starting", "1 pending", so=True)
    assert (said.degraded.so, said.degraded.reason) == (not binding, reason)


def test_attention_has_fifty_at_most() -> None:
    miners = [facts(number, pod=STARTING) for number in range(200)]
    decided = plan(pool(200), miners, epoch=None, budget=1)
    assert len(attention(miners, decided.verdicts)) == 50


def test_a_condition_keeps_its_time_while_its_answer_stays() -> None:
    yes = Answers(
        ready=ConditionAnswer("A", "").yes(),
        progressing=ConditionAnswer("B", "").no(),
        degraded=ConditionAnswer("C", "").no(),
    )
    first = conditions(yes, (), 1, "2026-01-01T00:00:00Z")
    later = conditions(yes, first, 2, "2026-01-02T00:00:00Z")
    assert {each.last_transition_time for each in later} == {"2026-01-01T00:00:00Z"}
    assert {each.observed_generation for each in later} == {2}
    assert [each.reason for each in notices((), first)] == ["A"]
    assert notices(first, later) == []


def disk_facts(
    report: DiskDocument | None, *, wanted: bool = True, asked: bool = True, **known: Any
) -> disks.DiskFacts:
    status = known.pop("status", {})
    body = {
        "metadata": {"name": "home-0-a", "namespace": "x", "uid": "d"},
        "spec": {"pool": "home", "miner": "home-0", "disk": "a", "claim": "c", **known},
        "status": status,
    }
    return disks.DiskFacts(
        disk=parse(MinerDisk, body),
        wanted=wanted,
        report=report,
        asked=asked,
        address="cv1",
        phase=MinerPhase.READY,
        on_its_way=False,
        node="n",
    )


def one(state: str = "ready", *, leaving: bool = False) -> DiskDocument:
    return made(
        DiskDocument, id="d1", path="/d/a", state=state, leaving=leaving, capacity_bytes=1000
    )


@pytest.mark.parametrize(
    ("given_facts", "expected"),
    [
        (disk_facts(one()), disks.Action.NOTHING),
        (disk_facts(one(), drain=True), disks.Action.DRAIN),
        (disk_facts(one(leaving=True), drain=True), disks.Action.NOTHING),
        (disk_facts(one(leaving=True)), disks.Action.TAKE_BACK),
        (disk_facts(one("drained")), disks.Action.TAKE_BACK),
        (disk_facts(one("drained"), drain=True), disks.Action.NOTHING),
        (disk_facts(one("drained"), drain=True, wipe="d1"), disks.Action.WIPE),
        (disk_facts(one("drained"), drain=True, wipe="d2"), disks.Action.NOTHING),
        (disk_facts(one("ready"), drain=True, wipe="d1"), disks.Action.DRAIN),
        (disk_facts(one(), wanted=False), disks.Action.DRAIN),
        (disk_facts(one("foreign"), wanted=False), disks.Action.NOTHING),
        (disk_facts(None, asked=False, drain=True), disks.Action.NOTHING),
    ],
)
def test_what_a_miner_is_told_about_a_disk(
    given_facts: disks.DiskFacts, expected: disks.Action
) -> None:
    assert disks.action(given_facts) is expected


def test_miners_that_hold_otherwise_than_in_the_listing_before_are_asked_next() -> None:
    def listing(**held: int) -> dict[str, ListedMiner]:
        return {name: made(ListedMiner, address=name, held_shards=n) for name, n in held.items()}

    before = listing(same=3, more=0, less=1, gone=5)
    assert moved(before, listing(same=3, more=1, less=0, new=2, empty=0)) == {"more", "less", "new"}
    assert moved(before, before) == set()


def test_a_disk_of_a_miner_that_is_drained_and_stopped_is_in_use_no_more() -> None:
    now = "2026-01-01T00:00:00Z"
    for state, expected in (
        ("ready", DiskPhase.STOPPED),
        ("drained", DiskPhase.DRAINED),
        ("missing", DiskPhase.MISSING),
    ):
        found = msgspec.structs.replace(one(state), shards=1)
        facts_then = dataclasses.replace(disk_facts(found), stopped=True)
        status = disks.status(facts_then, now)
        assert (status.phase, status.shards) == (expected, 1)
    stopped = dataclasses.replace(disk_facts(one()), stopped=True)
    assert "nobody needs" in (disks.status(stopped, now).message or "")


def test_a_disk_is_never_wiped_unless_drained_and_named() -> None:
    for state in ("ready", "read-only", "missing", "foreign", "quarantined"):
        assert disks.action(disk_facts(one(state), drain=True, wipe="d1")) is not disks.Action.WIPE


def test_a_status_that_says_nothing_new_is_not_written() -> None:
    now = "2026-01-01T00:00:00Z"
    before = disks.status(disk_facts(one()), now)
    assert before.phase is DiskPhase.IN_USE
    ready = next(each for each in before.conditions if each.type is ConditionType.READY)
    assert ready.status is ConditionStatus.TRUE
    for free, expected in ((5, False), (11, True)):
        moved = msgspec.structs.replace(one(), free_bytes=free)
        after = disks.status(disk_facts(moved), now)
        assert disks.worth_writing(before, after) is expected
    for counted in ({"shards": 1, "shard_bytes": 1}, {"plots": 1, "plot_bytes": 1}):
        changed = msgspec.structs.replace(one(), **counted)
        assert disks.worth_writing(before, disks.status(disk_facts(changed), now)), counted
    gone = disks.status(disk_facts(one("missing")), now)
    assert disks.worth_writing(before, gone)


def test_of_a_miner_that_was_not_heard_since_the_start_what_was_said_stands() -> None:
    said = MinerVerdict(MinerPhase.UNREACHABLE, "NoAnswer", "no route")
    for unheard in (None, Poll(0.0, None, "no route", failures=1)):
        seen = facts(poll=unheard, said=said)
        assert not seen.heard
        assert judge(seen) == said
    for heard in (polled(), Poll(0.0, None, "no route", failures=2)):
        assert facts(poll=heard).heard
    assert facts(poll=None, pod=None).heard  # nobody is there to be asked
    lost = Trouble("IdentityLost", "its Secret is gone")
    assert judge(facts(said=said, trouble=lost)).reason == "IdentityLost"


def test_of_a_disk_that_was_not_asked_since_the_start_the_status_stays_as_it_is() -> None:
    now = "2026-01-01T00:00:00Z"
    draining = disk_facts(one(leaving=True), drain=True)
    before = disks.status(draining, now)
    assert before.message is not None
    kept = {key: value for key, value in to_plain(before).items() if key != "address"}
    again = disk_facts(None, asked=False, drain=True, status=kept)
    after = disks.status(again, "2026-01-02T00:00:00Z")
    assert after == before
    assert not disks.worth_writing(before, after)
