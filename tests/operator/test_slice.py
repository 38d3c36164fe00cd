"""From nothing to ready miners: objects, status, drift."""

import pytest
from operator_lab import Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes


def test_a_joined_network_and_a_pool_become_ready_miners(lab: Lab) -> None:
    lab.join()
    network = lab.wait(
        "network", "net", lambda found: condition(found, "Ready")[0] == "True", "is Ready"
    )
    assert network["status"]["configMap"] == "net-network"
    lab.pool(replicas=3)
    pool = lab.ready("home", 3)
    assert pool["status"]["phases"] == {"Ready": 3}
    assert condition(pool, "Ready") == ("True", "AllReady")
    for ordinal in range(3):
        assert lab.api.get("statefulset", f"home-{ordinal}") is not None
        assert lab.api.get("service", f"home-{ordinal}") is not None
        secret = lab.api.get("secret", f"home-{ordinal}-identity")
        assert secret is not None
        assert secret["immutable"] is True
        for claim in ("state", "a"):
            assert lab.api.get("pvc", f"home-{ordinal}-{claim}") is not None
        disk = lab.wait(
            "minerdisk",
            f"home-{ordinal}-a",
            lambda found: found.get("status", {}).get("phase") == "InUse",
            "is in use",
        )
        assert disk["status"]["diskId"] == "disk-a"
    assert lab.api.get("pdb", "home") is not None


def test_foreign_edits_and_deletions_are_put_back(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    lab.api.patch("service", "home-0", {"spec": {"publishNotReadyAddresses": False}})
    lab.wait(
        "service",
        "home-0",
        lambda found: found["spec"].get("publishNotReadyAddresses"),
        "is put back",
    )
    lab.api.delete("service", "home-0")
    lab.wait("service", "home-0", lambda found: found["spec"]["ports"], "is there again")
    lab.kubectl("label", "statefulset", "home-0", "cybervein.io/pool-")
    lab.kubectl("scale", "statefulset", "home-0", "--replicas=0")
    lab.wait("statefulset", "home-0", lambda found: found["spec"]["replicas"] == 1, "has size one")
    until(
        lambda: lab.metric("cybervein_operator_drift_corrected_total") >= 3,
        "drift is counted",
    )
