"""Wish and ledger of a pool's miners, case by case: no cluster is needed to know it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from cybervein_operator.api import (
    FailureDomain,
    MinerPhase,
    MinerPool,
    PoolRegistration,
    parse,
)
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired.facts import MinerFacts, NetworkFacts
from cybervein_operator.judgement.conditions import Answers, ConditionAnswer, conditions, notices
from cybervein_operator.judgement.miner import Facts, judge
from cybervein_operator.judgement.pool import plan
from cybervein_operator.judgement.registered import registered, registration_of
from cybervein_operator.judgement.registration import NOTHING_SEEN, Registration, url_on_node
from cybervein_operator.judgement.rollout import grants
from cybervein_operator.judgement.summary import answers, sums
from cybervein_operator.miners.report import Declared, Poll, Report, report_of
from cybervein_operator.observed.facts import ClaimFacts, PodFacts, Seen
from cybervein_operator.reconcile.owners import owner_of
from cybervein_operator.reconcile.registrations import LedgerWord, registration
from cybervein_operator.world import NetworkView, World
from cybervein_protocol.api.miner.status import LedgerDocument, StatusDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from documents import made
from msgspec import structs, to_builtins

NET = NetworkFacts("net", "https://s:7700", "net-network")
READY = PodFacts(ready=True, running=True, node="n1", revision="r", reason="", message="")
NOW = "2026-01-01T00:00:00Z"
OLD = Declared("http://old:4100", "cvPAID", "n1", "lab")
NEW = Declared("http://new:4100", "cvPAID", "n1", "lab")


def pool(replicas: int = 2, *, name: str = "home", space: str = "x", **spec: Any) -> MinerPool:
    wanted = {"networkRef": {"name": "net"}, "replicas": replicas}
    wanted |= {"disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}], **spec}
    meta = {"name": name, "namespace": space, "uid": name, "generation": 1}
    return parse(MinerPool, {"metadata": meta, "spec": wanted})


def report(ledger: Declared | None = None, url: str = "", **known: Any) -> Report:
    document = {"address": "cvPAID", "url": url, "epoch": 5, "last_proved_epoch": 5} | known
    if ledger is not None:
        document["ledger"] = to_builtins(made(LedgerDocument, **vars_of(ledger)))
    return report_of(made(StatusDocument, **document))


def vars_of(of: Declared) -> dict[str, Any]:
    return {each: getattr(of, each) for each in ("url", "payout", "group", "owner")}


def facts(ordinal: int = 0, **known: Any) -> Facts:
    default: dict[str, Any] = {"leave": "", "exists": True, "template": "t", "wish": "t"}
    default |= {"pod": READY, "poll": Poll(0.0, report())}
    return Facts(f"home-{ordinal}", ordinal, **(default | known))


SAME = Registration(NEW, NEW, looked=True)
BEHIND = Registration(NEW, OLD, looked=True)
OTHERS = Registration(NEW, Declared(NEW.url, NEW.payout, NEW.group, "acme"), looked=True)
MOVED = Registration(Declared(NEW.url, NEW.payout, "n2", NEW.owner), NEW, looked=True, by_node=True)
ABSENT = Registration(NEW, None, looked=True)
UNSEEN = Registration(NEW, None)


BEHIND_WORDS = (
    "home-1: url: the ledger has http://old:4100, the spec asks for http://new:4100; the miner "
    "tells the ledger in its next round"
)
FIXED_WORDS = (
    "home-1: owner: the ledger has acme, the spec asks for lab; no unit changes that: put back "
    "what status.registered has"
)


@pytest.mark.parametrize(
    ("seen", "so", "reason", "words"),
    [
        ([SAME, SAME], True, "AsAsked", "of 2 miners"),
        ([SAME, BEHIND], False, "LedgerDiffers", BEHIND_WORDS),
        ([OTHERS, BEHIND], False, "LedgerDiffers", "home-1"),
        ([SAME, OTHERS], False, "RegisteredOtherwise", FIXED_WORDS),
        ([SAME, ABSENT], False, "NotRegistered", "1 of 2 miners are not on the ledger yet: home-1"),
        ([SAME, UNSEEN], None, "NotLookedYet", ""),
        ([MOVED, SAME], True, "AsAsked", "home-0: group: the ledger has n1, it runs on n2"),
        ([], None, "NoMiners", ""),
    ],
)
def test_the_condition_of(
    seen: list[Registration],
    so: bool | None,  # noqa: FBT001 -- an answer
    reason: str,
    words: str,
) -> None:
    miners = [facts(number, registration=each) for number, each in enumerate(seen)]
    answer = registered(pool(), miners)
    assert (answer.so, answer.reason) == (so, reason)
    assert words in answer.message


def test_a_miner_whose_pod_is_still_the_old_one_waits_for_its_turn() -> None:
    answer = registered(pool(), [facts(wish="new", registration=BEHIND)] * 3)
    assert answer.message.endswith(
        "(and 2 more miners); its pod is replaced when its turn comes, and tells the ledger"
    )
    assert judge(facts(wish="new", registration=BEHIND)).phase is MinerPhase.READY


def test_an_operator_that_starts_again_knows_no_better_until_it_has_looked() -> None:
    ready = ConditionAnswer("AllReady", "").yes()
    said = Answers(
        ready, ready.no(), ready.no(), registered=registered(pool(), [facts(0, registration=SAME)])
    )
    before = conditions(said, (), 1, NOW)
    status = structs.replace(pool().status, conditions=before)
    again = structs.replace(pool(), status=status)
    assert registered(again, [facts(registration=UNSEEN)]) == said.registered
    edited = structs.replace(again, metadata=structs.replace(again.metadata, generation=2))
    assert registered(edited, [facts(registration=UNSEEN)]).reason == "NotLookedYet"


@pytest.mark.parametrize(
    ("known", "phase", "reason"),
    [
        ({}, MinerPhase.DEGRADED, "LedgerDiffers"),
        ({"granted": True, "granted_epoch": 5}, MinerPhase.UPDATING, "LedgerDiffers"),
        ({"granted": True, "granted_epoch": 4}, MinerPhase.DEGRADED, "LedgerDiffers"),
        ({"poll": Poll(0.0, report(degraded=["no funds"]))}, MinerPhase.DEGRADED, "LedgerDiffers"),
        ({"poll": Poll(0.0, None, "no route", 2)}, MinerPhase.UNREACHABLE, "NoAnswer"),
        ({"leave": "scaled"}, MinerPhase.DRAINING, "Asking"),
    ],
)
def test_an_address_that_the_ledger_does_not_have_is_not_in_effect(
    known: dict[str, Any], phase: MinerPhase, reason: str
) -> None:
    miner = facts(registration=BEHIND, **known)
    verdict = judge(miner)
    assert (verdict.phase, verdict.reason) == (phase, reason)
    decided = plan(pool(1), [miner], epoch=5, budget=1)
    added = sums([miner], decided.verdicts)
    assert (added.ready, added.updated, added.waiting) == (0, 0, 0)
    assert answers(pool(1), decided.verdicts, added, None).ready.so is False


def test_what_the_miner_says_of_it_is_said_too() -> None:
    words = judge(facts(registration=BEHIND, poll=Poll(0.0, report(degraded=["no funds"])))).message
    assert words == (
        "url: the ledger has http://old:4100, the spec asks for http://new:4100; "
        "the miner says: no funds"
    )


def test_the_next_miner_is_not_stopped_while_nobody_finds_the_one_before() -> None:
    new = {"template": "new", "wish": "new"}
    told = [facts(0, registration=SAME, **new), facts(1, wish="new", registration=BEHIND)]
    untold = [facts(0, registration=BEHIND, **new), told[1]]
    assert "home-1" in grants(told, max_unavailable=1, epoch=5, budget=9)
    assert grants(untold, max_unavailable=1, epoch=5, budget=9) == {"home-0"}
    paid = Registration(Declared(OLD.url, "cvOTHER", "n1", "lab"), OLD, looked=True)
    unpaid = [facts(0, registration=paid, **new), told[1]]
    assert "home-1" in grants(unpaid, max_unavailable=1, epoch=5, budget=9)


def test_nothing_seen_is_no_difference() -> None:
    assert (NOTHING_SEEN.behind, NOTHING_SEEN.fixed, NOTHING_SEEN.moved) == ((), (), False)


@pytest.mark.parametrize(
    ("url", "seen", "expected"),
    [
        ("http://a:1", ["http://b:1"], "http://a:1"),
        ("http://$(HOST_IP):1", ["", "http://b:1"], "http://b:1"),
        ("http://$(HOST_IP):1", ["http://b:2"], "http://$(HOST_IP):1"),
    ],
)
def test_the_kubelet_fills_in_the_address_of_the_node(
    url: str, seen: list[str], expected: str
) -> None:
    assert url_on_node(url, *seen) == expected


def seen_by(view: NetworkView | None, poll: Poll | None = None, **spec: Any) -> Registration:
    wanted = MinerFacts(NET, "i", "cvC", NEW.url, owner="lab")
    return registration(pool(**spec), 0, wanted, LedgerWord(poll, view, "cvPAID"), "n1")


def listing(*rows: Declared) -> NetworkView:
    standings = {
        each.payout: made(ListedMiner, address=each.payout, **vars_of(each)) for each in rows
    }
    return NetworkView(NET, "cid", 60, epoch=5, standings=standings)


def test_who_said_it_last_knows_what_the_ledger_has() -> None:
    now, silent = Poll(0.0, report(NEW)), Poll(0.0, report(NEW), "no route", 1)
    before = Poll(0.0, report(NEW, epoch=4), "no route", 1)
    assert seen_by(None).looked is False
    assert seen_by(listing(OLD)).ledger == OLD
    assert seen_by(listing(OLD), Poll(0.0, report())).ledger == OLD, "version 0.2.0 does not say"
    assert seen_by(listing(OLD), now).ledger == NEW
    assert seen_by(listing(OLD), silent).ledger == NEW, "a poll that failed is no news"
    assert seen_by(listing(OLD), before).ledger == OLD
    assert seen_by(listing(), before).ledger == NEW
    assert seen_by(listing(), Poll(0.0, report())).ledger is None
    assert seen_by(listing(OLD)).behind == ("url",)


def test_a_group_is_the_spec_s_the_miner_s_or_the_node_s_that_it_began_on() -> None:
    rows = {each: Declared(NEW.url, NEW.payout, each, NEW.owner) for each in ("n1", "n9", "home-0")}
    assert seen_by(listing(rows["n9"])).moved
    assert not seen_by(listing(rows["n9"])).fixed
    assert seen_by(listing(rows["home-0"])).fixed == ("group",), "it was a domain of its own"
    assert not seen_by(listing(rows["home-0"]), failureDomain="Miner").fixed
    assert seen_by(listing(rows["n1"]), group="rack").fixed == ("group",)


def test_what_cannot_change_is_what_all_miners_of_the_pool_have() -> None:
    def entry(group: str, owner: str = "lab") -> Declared:
        return Declared("u", "p", group, owner)

    def of(*entries: Declared) -> PoolRegistration | None:
        return registration_of(pool(), dict(enumerate(entries)), lambda name: name == "n1")

    assert of() is None
    assert of(entry("n1")) == PoolRegistration(
        miners=1, owner="lab", group="n1", failure_domain=FailureDomain.NODE
    )
    assert of(entry("n1"), entry("n2", "acme")) == PoolRegistration(
        miners=2, failure_domain=FailureDomain.NODE
    )
    assert of(entry("home-0"), entry("home-1")) == PoolRegistration(
        miners=2, owner="lab", failure_domain=FailureDomain.MINER
    )
    assert of(entry("rack"), entry("rack")) == PoolRegistration(miners=2, owner="lab", group="rack")


def test_a_difference_is_an_event_and_one_for_ever_a_warning() -> None:
    ready = ConditionAnswer("AllReady", "").yes()

    def said(so: bool | None, reason: str) -> Answers:  # noqa: FBT001 -- an answer
        answer = ConditionAnswer(reason, reason, so)
        return Answers(ready, ready.no(), ready.no(), registered=answer)

    order = [
        (None, "NotLookedYet"),
        (True, "AsAsked"),
        (False, "LedgerDiffers"),
        (False, "RegisteredOtherwise"),
        (False, "RegisteredOtherwise"),
    ]
    before = conditions(said(*order[0]), (), 1, NOW)
    events = []
    for each in order[1:]:
        after = conditions(said(*each), before, 1, NOW)
        events += [(notice.type, notice.reason) for notice in notices(before, after)]
        before = after
    assert events == [
        ("Normal", "Registered"),
        ("Normal", "LedgerDiffers"),
        ("Warning", "RegisteredOtherwise"),
    ]


def a_world(*pools: MinerPool, **claims: tuple[str, str]) -> Any:
    """Journals by pool: the miner's address and the owner that it was made with."""
    world = World(pools={(each.metadata.namespace, each.metadata.name): each for each in pools})
    for name, (address, owner) in claims.items():
        seen = Seen(
            uid=name,
            version="1",
            fingerprint="",
            pool=name,
            miner=f"{name}-0",
            network="net",
            deleting=False,
            facts=ClaimFacts("Bound", None, address, "", owner),
        )
        world.store.put(ClusterKind.CLAIM, ("x", f"{name}-0-state"), seen)
    return cast("Any", SimpleNamespace(world=world, control="cvCONTROL"))


def test_a_new_miner_has_an_owner_that_no_stranger_has() -> None:
    assert owner_of(a_world(pool()), pool(), 0) == "cvCONTROL"
    assert owner_of(a_world(pool()), pool(owner="acme"), 0) == "acme"
    assert owner_of(a_world(pool(), home=("cv1", "cvOLD")), pool(), 0) == "cvOLD", "a new key"


def test_a_miner_of_0_2_0_keeps_the_namespace_and_so_do_its_neighbours() -> None:
    old = a_world(pool(), home=("cv1", ""))
    assert owner_of(old, pool(), 0) == "x"
    assert owner_of(old, pool(), 1) == "x", "or two miners of a node were two failure domains"
    assert owner_of(old, pool(name="new"), 0) == "x"
    elsewhere = pool(space="y")
    assert owner_of(old, elsewhere, 0) == "cvCONTROL"


def test_a_pool_that_is_made_again_looks_again() -> None:
    tools = a_world(pool(), other=("cv1", ""))
    assert owner_of(tools, pool(), 0) == "x"
    tools.world.store.drop(ClusterKind.CLAIM, ("x", "other-0-state"))
    assert owner_of(tools, pool(), 1) == "x", "its miners are made side by side"
    again = structs.replace(pool(), metadata=structs.replace(pool().metadata, uid="new"))
    assert owner_of(tools, again, 0) == "cvCONTROL"
    tools.world.forget_namespace("x")
    assert owner_of(tools, pool(), 0) == "cvCONTROL"


def test_a_pool_that_names_its_owner_speaks_for_itself_alone() -> None:
    named = pool(name="named", owner="acme")
    tools = a_world(named, pool(), named=("cv1", "acme"))
    assert owner_of(tools, pool(), 0) == "cvCONTROL"
    unnamed = pool(name="named")
    tools = a_world(unnamed, pool(), named=("cv1", "acme"))
    assert owner_of(tools, unnamed, 0) == "acme", "that is what the ledger has"
    assert owner_of(tools, unnamed, 1) == "acme"
