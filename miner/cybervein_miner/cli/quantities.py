"""Bytes and counts, in the words that people read them in."""

from cybervein_protocol.names import GIB, MIB


def size(count: int) -> str:
    """Bytes in the unit that fits."""
    if count >= 1024 * GIB:
        return f"{count / (1024 * GIB):.2f} TiB"
    return f"{count / GIB:.2f} GiB" if count >= GIB else f"{count / MIB:.1f} MiB"


def counted(count: int, what: str) -> str:
    """A number of things, and one thing."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
