"""Byte ranges as a person writes them: first and last byte, both included, as in HTTP."""

import re

from cybervein_protocol.errors import MalformedError

_RANGE = re.compile(r"(\d{1,19})[-:](\d{0,19})")


def parse_range(text: str) -> tuple[int, int | None]:
    """`a-b` (or `a:b`) as [a, b + 1); `a-` is to the end. Raises MalformedError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise MalformedError(f"{text[:40]!r}: expected FIRST-LAST, as in 0-1023, or FIRST-")
    start, last = int(match[1]), match[2]
    if last and int(last) < start:
        raise MalformedError(f"{text[:40]!r}: the last byte is before the first")
    return start, int(last) + 1 if last else None
