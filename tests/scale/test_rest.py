"""Miners at rest cost next to nothing: the operator asks each in turn, and writes nothing.

How often it asks is a rate for all miners together, so that two hundred show what a thousand would;
`make bench RACE=kubernetes` measures with a thousand.
"""

import os

import pytest
from cluster.audit import AuditLog, Call
from cluster.control_plane import ControlPlane
from measure import Usage, record, usage
from operator_lab import Lab
from waiting import until

pytestmark = pytest.mark.scale
MINERS = int(os.environ.get("CYBERVEIN_REST_MINERS", "200"))
ROUNDS_POLLS = 200  # in which nothing may be written
MEMORY_MIB_MAX = 300
CPU_SHARE_MAX = 0.02  # an aim: the machine's other work is in the figure
SETTLED = ("InUse", "Ready")
POLLS = "cybervein_operator_polls_total"


def test_miners_at_rest_are_asked_and_nothing_is_written(
    lab: Lab, control_plane: ControlPlane
) -> None:
    lab.join()
    lab.pool(replicas=MINERS)
    until(lambda: settled(lab), "all disks are in use", every_seconds=1)
    waits = "cybervein_operator_queue_depth"
    until(lambda: lab.metric(waits) == 0, "nothing waits", every_seconds=1)

    rounds: list[list[Call]] = []
    until(
        lambda: a_quiet_round(lab, control_plane.audit, rounds),
        "all are asked and nothing is written",
        diagnose=lambda: str(rounds),
    )
    assert usage(lab.process.pid).peak_mib < MEMORY_MIB_MAX


def a_quiet_round(lab: Lab, audit: AuditLog, rounds: list[list[Call]]) -> bool:
    """Whether nothing was written while as many polls as miners went on.

    A busy machine may make a miner look silent for a moment: that is news, and it is written.
    """
    mark, before, asked = audit.mark(), usage(lab.process.pid), lab.metric(POLLS)
    until(lambda: lab.metric(POLLS) >= asked + ROUNDS_POLLS, "polls continue", every_seconds=1)
    after, asked = usage(lab.process.pid), lab.metric(POLLS) - asked
    user = f"{lab.namespace}:cybervein-operator"
    calls = audit.calls(since=mark, user=user)
    rounds.append([call for call in calls if call.writes and not its_own(call)])
    counted = audit.counts(since=mark, user=user)
    record(costs(before, after, asked) | {"rest_rounds": len(rounds), "rest_api_calls": counted})
    return not rounds[-1]


def its_own(call: Call) -> bool:
    """The operator's sign that it is there, which no number of miners changes."""
    return "canary" in call.name or call.resource == "leases"


def settled(lab: Lab) -> bool:
    """Every miner was asked, and every disk says what its miner said."""
    found = [each.get("status", {}) for each in lab.api.list("minerdisks")]
    return sum((each.get("phase"), each.get("minerPhase")) == SETTLED for each in found) == MINERS


def costs(before: Usage, after: Usage, asked: float) -> dict[str, object]:
    seconds = after.at - before.at
    return {
        "rest_miners": MINERS,
        "rest_seconds": round(seconds, 1),
        "rest_cpu_share": round((after.cpu_seconds - before.cpu_seconds) / seconds, 4),
        "rest_cpu_share_aim": CPU_SHARE_MAX,
        "rest_polls_per_second": round(asked / seconds, 2),
        "rest_resident_mib": round(after.resident_mib, 1),
    }
