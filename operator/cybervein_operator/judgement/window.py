"""Maintenance windows: when upgrades of a pool may begin, and what is told of those that wait.

Times are handed in. A window may cross midnight; its days are those on which it opens, in its own
time zone, so that a change to summer time moves it as it moves the clock on the wall.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cybervein_operator.api import MinerPool, RolloutWindow
from cybervein_operator.judgement.conditions import ConditionAnswer
from cybervein_operator.judgement.miner import Facts

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK: Final = 7


def is_open(window: RolloutWindow | None, now: datetime) -> bool:
    """Whether an upgrade may begin; always, without a window. `now` is in UTC."""
    if window is None:
        return True
    length = timedelta(minutes=window.duration_minutes)
    return any(opens <= now < opens + length for opens in _openings(window, now))


def opens_next(window: RolloutWindow, now: datetime) -> datetime | None:
    """When it opens after `now`, in its own time zone; None for a zone that is not known."""
    later = (each for each in _openings(window, now) if each > now)
    return next((each.astimezone(ZoneInfo(window.time_zone)) for each in later), None)


def waits(pool: MinerPool, miners: Sequence[Facts], now: datetime) -> ConditionAnswer | None:
    """Why upgrades wait, if it is not for proofs."""
    window = pool.spec.rollout.window
    outdated = [each for each in miners if each.outdated and not each.leave and not each.granted]
    shut = [each for each in outdated if not each.urgent]
    if window is not None and shut and not is_open(window, now):
        return ConditionAnswer("WaitingForWindow", _words(pool, window, len(shut), now))
    held = [each for each in outdated if each.cordoned]
    if held and len(held) == len(outdated):
        nodes = ", ".join(sorted({each.home for each in held}))
        return ConditionAnswer(
            "NodeCordoned",
            f"{len(held)} miners wait to be updated: their nodes {nodes} are cordoned",
        )
    return None


def _words(pool: MinerPool, window: RolloutWindow, count: int, now: datetime) -> str:
    opens = opens_next(window, now)
    when = (
        f"it opens at {opens.isoformat(timespec='minutes')}"
        if opens
        else (f"time zone {window.time_zone} is not known to the operator, so it never opens")
    )
    return (
        f"{count} miners wait for the maintenance window to be updated: {when} "
        f"({window.time_zone}); kubectl cybervein restart {pool.metadata.name} does it now"
    )


def _openings(window: RolloutWindow, now: datetime) -> Iterator[datetime]:
    """In UTC, from yesterday on, as that one may still be open, through the next week."""
    try:
        zone = ZoneInfo(window.time_zone)
    except (KeyError, ValueError, OSError):
        return
    hour, minute = (int(part) for part in window.start.split(":"))
    today = now.astimezone(zone).date()
    for ahead in range(-1, _WEEK + 1):
        day = today + timedelta(days=ahead)
        if not window.days or _DAYS[day.weekday()] in window.days:
            yield datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
