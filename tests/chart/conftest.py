"""Helm as a fixture, without a cluster and with one."""

from pathlib import Path

import pytest
from chart_helm import Helm
from cluster.running import Cluster


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    """Helm without a cluster."""
    return Helm(tmp_path)


@pytest.fixture
def release(tmp_path: Path, cluster: Cluster, namespace: str) -> Helm:
    """Helm as the cluster's admin, in a fresh namespace that enforces `restricted`."""
    return Helm(tmp_path, cluster.kubectl.kubeconfig, namespace)
