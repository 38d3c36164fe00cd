"""How ends, and what to do about them, are said to people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cybervein_client.lasting.life import FileLife
from cybervein_client.lifetimes import date_text
from cybervein_protocol.amounts import coins
from cybervein_runtime.durations import duration_text

if TYPE_CHECKING:
    from cybervein_client.lasting.outlook import Outlook

_NAMED_MAX: Final = 5


def until(life: FileLife) -> str:
    """`until 2026-12-30 04:00 UTC (29 d 3 h left)`."""
    if life.ends is None:
        return "for a time that the super node did not tell"
    return f"until {date_text(life.ends)} ({duration_text(life.seconds_left or 0)} left)"


def outlook_lines(outlook: "Outlook", decimals: int) -> list[str]:
    """What to warn of, with the next step; empty if all is well."""
    lines = []
    if outlook.expired:
        lines.append(ended_line(outlook.expired))
    lines += [_ending(life) for life in outlook.expiring[:_NAMED_MAX]]
    if more := outlook.expiring[_NAMED_MAX:]:
        lines.append(f"{len(more)} more files end soon; `cybervein ls` shows them")
    if (short := outlook.shortfall) is not None:
        lines.append(
            f"the wallet cannot pay the next renewal of {short.life.file.name}, stored "
            f"{until(short.life)}: {coins(short.missing, decimals)} coins are missing; pay coins in"
        )
    return lines


def ended_line(expired: Sequence[FileLife]) -> str:
    """Which files are gone, with the next step."""
    return (
        f"not stored any more, their deals have ended: {_names(expired)}; put them again, or "
        "`cybervein rm` them"
    )


def _ending(life: FileLife) -> str:
    name = life.file.name
    if life.file.keep_epochs:
        return f"{name} is kept and stored {until(life)}; run `cybervein keep`, which renews it"
    return f"{name} is stored {until(life)}; `cybervein renew {name}`, or `cybervein keep {name}`"


def _names(lives: Sequence[FileLife]) -> str:
    named = ", ".join(life.file.name for life in lives[:_NAMED_MAX])
    more = len(lives) - _NAMED_MAX
    return f"{named} and {more} more" if more > 0 else named
