"""A maintenance window: when upgrades may begin, and what is told while they wait."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cybervein_operator.api import MinerPool, RolloutWindow, parse
from cybervein_operator.judgement.miner import Facts
from cybervein_operator.judgement.rollout import grants
from cybervein_operator.judgement.window import is_open, opens_next, waits
from cybervein_operator.observed.facts import PodFacts

BERLIN = "Europe/Berlin"
READY = PodFacts(ready=True, running=True, node="a", revision="r", reason="", message="")
STARTING = PodFacts(ready=False, running=False, node="a", revision="r", reason="", message="")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(**known: Any) -> RolloutWindow:
    default: dict[str, Any] = {"start": "22:00", "duration_minutes": 240, "time_zone": BERLIN}
    return RolloutWindow(**(default | known))


@pytest.mark.parametrize(
    ("now", "word"),
    [
        ("2026-07-04T19:59", "shut"),  # summer: 22:00 in Berlin is 20:00 UTC
        ("2026-07-04T20:00", "open"),
        ("2026-07-04T23:59", "open"),  # past midnight there
        ("2026-07-05T00:00", "shut"),
        ("2026-12-05T20:59", "shut"),  # winter: 21:00 UTC
        ("2026-12-05T21:00", "open"),
    ],
)
def test_it_is_open_by_the_clocks_of_its_zone(now: str, word: str) -> None:
    assert is_open(window(), at(now)) is (word == "open")


def test_its_days_are_those_on_which_it_opens() -> None:
    saturdays = window(days=("Sat",))
    assert is_open(saturdays, at("2026-12-05T22:00"))
    assert is_open(saturdays, at("2026-12-06T00:30"))  # Sunday there, opened on Saturday
    assert not is_open(saturdays, at("2026-12-06T22:00"))
    assert opens_next(saturdays, at("2026-12-05T21:30")) == at("2026-12-12T21:00")


def test_no_window_is_always_open() -> None:
    assert is_open(None, at("2026-12-05T21:00"))


def test_it_lasts_as_long_on_the_night_that_has_25_hours() -> None:
    night = window(start="01:00", duration_minutes=180)
    assert is_open(night, at("2026-10-25T01:59"))  # opened at 23:00 UTC on the 24th
    assert not is_open(night, at("2026-10-25T02:00"))


def pool(**rollout: Any) -> MinerPool:
    disks = [{"name": "a", "claimTemplate": {"size": "1Gi"}}]
    spec = {"networkRef": {"name": "net"}, "disks": disks, "rollout": rollout}
    return parse(MinerPool, {"metadata": {"name": "home"}, "spec": spec})


NIGHTLY = {"start": "02:00", "durationMinutes": 60, "timeZone": BERLIN}


def facts(ordinal: int, **known: Any) -> Facts:
    default: dict[str, Any] = {"pod": READY, "template": "old", "wish": "new"}
    return Facts(f"home-{ordinal}", ordinal, "", exists=True, **(default | known))


def test_who_waits_is_told_when_the_next_one_opens_and_what_does_not_wait() -> None:
    said = waits(pool(window=NIGHTLY), [facts(0), facts(1)], at("2026-12-05T12:00"))
    assert said is not None
    assert said.reason == "WaitingForWindow"
    assert "2 miners wait" in said.message
    assert "2026-12-06T02:00+01:00" in said.message
    assert "kubectl cybervein restart home" in said.message


def test_inside_of_it_or_with_nothing_to_update_nobody_waits_for_it() -> None:
    assert waits(pool(window=NIGHTLY), [facts(0)], at("2026-12-06T01:30")) is None
    assert waits(pool(window=NIGHTLY), [facts(0, wish="old")], at("2026-12-05T12:00")) is None
    assert waits(pool(), [facts(0)], at("2026-12-05T12:00")) is None


def test_a_zone_that_the_operator_does_not_know_never_opens_and_says_so() -> None:
    lost = {**NIGHTLY, "timeZone": "Mars/Olympus"}
    said = waits(pool(window=lost), [facts(0)], at("2026-12-06T01:30"))
    assert said is not None
    assert "Mars/Olympus is not known" in said.message


def test_outside_of_it_only_what_is_broken_or_asked_for_is_replaced() -> None:
    miners = [facts(0), facts(1, urgent=True), facts(2, pod=STARTING)]
    shut = grants(miners, max_unavailable=3, epoch=None, budget=3, in_window=False)
    assert shut == {"home-1", "home-2"}
    assert grants(miners, max_unavailable=3, epoch=None, budget=3) == {"home-0", "home-1", "home-2"}


def test_an_upgrade_that_began_is_finished_after_it_has_closed() -> None:
    begun = facts(0, granted=True, pod=STARTING, template="new")
    assert grants([begun], max_unavailable=1, epoch=None, budget=1, in_window=False) == {"home-0"}


def test_a_change_that_comes_while_a_restart_is_under_way_waits_for_it() -> None:
    restarted = facts(0, granted=True)
    assert grants([restarted], max_unavailable=1, epoch=None, budget=1, in_window=False) == set()


@pytest.mark.parametrize("hours", range(0, 24 * 8, 5))
def test_the_next_one_is_in_the_future_and_open_then(hours: int) -> None:
    now = at("2026-10-20T00:00") + timedelta(hours=hours)
    for days in ((), ("Sun",), ("Mon", "Thu")):
        opens = opens_next(window(days=days), now)
        assert opens is not None
        assert opens > now
        assert is_open(window(days=days), opens.astimezone(UTC))
