"""Users may let the tests run in a cluster of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cluster.plugin import OWN_CLUSTER
from cluster.running import Cluster

pytestmark = pytest.mark.kubernetes
HERE = Path(__file__).parent


@pytest.mark.usefixtures("control_plane")  # this very test needs no second cluster
def test_in_ones_own_cluster_nothing_is_started_or_killed(cluster: Cluster) -> None:
    environment = {**os.environ, OWN_CLUSTER: str(cluster.kubectl.kubeconfig)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-vv", str(HERE)]
    run = subprocess.run(
        [*command, "-m", "kubernetes"],
        env={name: text for name, text in environment.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "test_a_namespace_refuses_what_is_not_restricted PASSED" in run.stdout
    assert "test_an_api_server_that_is_killed" not in run.stdout
    assert "test_in_ones_own_cluster" not in run.stdout
