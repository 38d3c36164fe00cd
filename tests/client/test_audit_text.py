"""What `audit` tells a person at 80 columns."""

from cybervein_client.audit import ShardCheck
from cybervein_command.audited import audit_text
from cybervein_protocol.audit import Outcome
from cybervein_protocol.signing import address

MINER = b"m" * 32


def test_a_segment_is_a_line_and_a_shard_that_is_not_well_has_its_miner_and_the_reason() -> None:
    reason = "http://203.0.113.7:7070/v1/shards does not answer; " * 4
    text = audit_text(
        [
            ShardCheck(1, 0, MINER, Outcome.TIMEOUT, reason),
            ShardCheck(0, 1, MINER, Outcome.PASSED, ""),
            ShardCheck(0, 0, MINER, Outcome.PASSED, ""),
            ShardCheck(1, 1, None, Outcome.WRONG, "no miner holds it"),
        ]
    )
    lines = text.splitlines()
    assert lines[:4] == [
        "segment 0: 2 of 2 shards passed",
        "segment 1: 0 of 2 shards passed",
        "  shard 0: timeout",
        f"    at {address(MINER)}",
    ]
    assert lines[-3:] == ["  shard 1: wrong", "    at no miner", "    no miner holds it"]
    assert all(len(line) <= 80 for line in lines)
    assert " ".join(lines[4:-3]).split() == reason.split()
