"""From none to a thousand miners: how long it takes, what it costs, and drift among them."""

import time

import pytest
from cluster.control_plane import ControlPlane
from measure import record, usage
from operator_lab import Lab
from waiting import until

pytestmark = pytest.mark.scale
MINERS = 1000
MEMORY_MIB_MAX = 300


def test_a_thousand_miners_and_what_they_cost(lab: Lab, control_plane: ControlPlane) -> None:
    lab.join()
    record({"miners": MINERS, "apply_to_ready_seconds": round(one_miner(lab), 2)})
    user = f"{lab.namespace}:cybervein-operator"
    mark, before = control_plane.audit.mark(), usage(lab.process.pid)
    lab.kubectl("scale", "minerpool", "home", f"--replicas={MINERS}")
    wait_ready(lab, MINERS)
    after, calls = usage(lab.process.pid), control_plane.audit.counts(since=mark, user=user)
    took = after.at - before.at
    record(
        {
            "scale_up_seconds": round(took, 1),
            "scale_up_miners_per_second": round(MINERS / took, 1),
            "scale_up_operator_cpu_seconds": round(after.cpu_seconds - before.cpu_seconds, 1),
            "scale_up_api_calls_per_miner": round(sum(calls.values()) / MINERS, 2),
            "scale_up_api_calls": dict(calls.most_common()),
            "drift_seconds": drift(lab),
            "operator_peak_mib": round(usage(lab.process.pid).peak_mib, 1),
        }
    )
    assert usage(lab.process.pid).peak_mib < MEMORY_MIB_MAX


def one_miner(lab: Lab) -> float:
    """Seconds from the first pool to its miner; none is left."""
    began = time.monotonic()
    lab.pool(replicas=1)
    wait_ready(lab, 1)
    took = time.monotonic() - began
    lab.kubectl("scale", "minerpool", "home", "--replicas=0")
    lab.api.wait_gone("statefulset", "home-0")
    return took


def wait_ready(lab: Lab, count: int) -> None:
    lab.wait(
        "minerpool",
        "home",
        lambda found: found.get("status", {}).get("readyReplicas", 0) == count,
        f"has {count} ready",
    )


def drift(lab: Lab) -> float:
    """Seconds from a foreign edit until it is put back."""
    lab.api.patch("service", "home-0", {"spec": {"publishNotReadyAddresses": False}})
    patched = time.monotonic()

    def back() -> object:
        found = lab.api.get("service", "home-0")
        return found is not None and found["spec"].get("publishNotReadyAddresses")

    until(back, "it is put back", every_seconds=0.01)
    return round(time.monotonic() - patched, 3)
