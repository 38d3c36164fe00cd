"""What an owner's audit found, for people: a line for each segment, more for what failed."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from cybervein_runtime.console import record

if TYPE_CHECKING:
    from cybervein_client.audit import ShardCheck


def audit_text(checks: "list[ShardCheck]") -> str:
    """Every segment with what passed, every other shard with its miner and the reason."""
    segments = groupby(sorted(checks, key=_place), key=lambda check: check.segment)
    return "\n".join(line for number, found in segments for line in _segment(number, list(found)))


def _place(check: "ShardCheck") -> tuple[int, int]:
    return check.segment, check.index


def _segment(number: int, checks: "list[ShardCheck]") -> Iterator[str]:
    bad = [check for check in checks if check.outcome.value != "passed"]
    yield f"segment {number}: {len(checks) - len(bad)} of {len(checks)} shards passed"
    for check in bad:
        row = check.to_json()
        miner = f"at {row['miner']}" if row["miner"] else "at no miner"
        yield record(f"  shard {check.index}: {row['outcome']}", f"  {miner}", f"  {check.reason}")
