"""Bytes, durations and counts, in the words that people read them in."""

from cybervein_protocol.names import GIB, MIB


def spell(seconds: float) -> str:
    """A duration as people say it, two units at most."""
    minutes = round(seconds) // 60
    if minutes < 1:
        return f"{round(seconds)} s"
    if minutes < 60:  # noqa: PLR2004 -- minutes
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004 -- two days
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def size(count: int) -> str:
    """Bytes in the unit that fits."""
    if count >= 1024 * GIB:
        return f"{count / (1024 * GIB):.2f} TiB"
    return f"{count / GIB:.2f} GiB" if count >= GIB else f"{count / MIB:.1f} MiB"


def counted(count: int, what: str) -> str:
    """A number of things, and one thing."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
