"""When upgrades of a pool may begin."""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from cybervein_operator.api.fields import distinct, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.rules import Rule


class Day(StrEnum):
    """A day of the week."""

    MONDAY = "Mon"
    TUESDAY = "Tue"
    WEDNESDAY = "Wed"
    THURSDAY = "Thu"
    FRIDAY = "Fri"
    SATURDAY = "Sat"
    SUNDAY = "Sun"


class RolloutWindow(Part, frozen=True, kw_only=True):
    """When upgrades may begin."""

    RULES: ClassVar = (
        Rule(
            "timestamp('2026-01-01T00:00:00Z').getHours(self.timeZone) >= 0",
            "timeZone is not known; give a name such as Europe/Berlin or UTC",
            ".timeZone",
        ),
    )
    days: Annotated[
        Annotated[tuple[Day, ...], Meta(max_length=7)],
        distinct("Days on which it opens: Mon, Tue, Wed, Thu, Fri, Sat, Sun. None: every day."),
    ] = ()
    start: Annotated[
        Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)],
        says("When it opens, HH:MM on the clocks of timeZone."),
    ]
    duration_minutes: Annotated[
        Annotated[int, Meta(ge=5, le=1440)], says("How long it stays open, in minutes.")
    ]
    time_zone: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)],
        says("Time zone by its IANA name, such as Europe/Berlin."),
    ] = "UTC"
